// Makes elements. Text is always text: nothing here reads markup.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return element;
}

// Give an element other children; the one that has the focus hands it on to that in its place.
export function refill(element, ...children) {
  const places = () => [...element.querySelectorAll("a, button, summary")];
  const focused = places().indexOf(document.activeElement);
  element.replaceChildren(...children);
  if (focused >= 0) places()[focused]?.focus({preventScroll: true});
}

export const number = value => value.toLocaleString("en");

export const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
