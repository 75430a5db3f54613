// A frame in which one side of a card is shown, as Anki's reviewer shows it. No script runs in it:
// all that happens there is done from here.

import {setMaths} from "./maths.js";

// What Anki's reviewer lays beneath a card's own sheet, as far as it matters to a card.
const BENEATH = `
  html { font-family: sans-serif; font-size: 15px; }
  * { box-sizing: content-box; }
  body { margin: 20px; overflow-wrap: break-word; overscroll-behavior: none; }
  hr { margin: 1em 0; height: 1px; border: none; background-color: #737373; }
  img { max-width: 100%; max-height: 95vh; }
  li { text-align: start; }
  pre { text-align: left; }
  #typeans { box-sizing: border-box; width: 100%; line-height: 1.75; }
  code#typeans { white-space: pre-wrap; font-variant-ligatures: none; }
  .sound { display: block; margin: .5em 0; }
`;
const PARSER = new DOMParser();

// The sheet of all cards, which a project may change while frames show them.
let sheet = "", named = "", hasSheet;
const firstSheet = new Promise(done => { hasSheet = done; });

export async function useSheet(name) {
  if (!name || name === named) return;
  named = name;
  try {
    const answer = await fetch("/card.css");
    if (!answer.ok) throw new Error("no style sheet");
    const text = await answer.text();
    if (name === named) sheet = text;
  } catch {
    if (name === named) named = "";        // the server has stopped; its next word asks again
    return;
  }
  hasSheet();
  for (const frame of document.querySelectorAll("iframe")) {
    const style = frame.contentDocument?.head?.querySelector("style");
    if (style) style.textContent = BENEATH + sheet;
  }
}

export class Frame {
  #shown = 0;
  #ready;

  constructor(title, {onKey = () => {}, onSize = null} = {}) {
    this.element = document.createElement("iframe");
    this.element.title = title;
    this.element.setAttribute("sandbox", "allow-same-origin");
    this.#ready = new Promise(done => {
      this.element.addEventListener("load", () => {
        if (this.element.contentDocument) done(this.#prepare(onKey, onSize));    // none: nobody answered
      });
    });
    this.element.src = "/frame";
  }

  async #prepare(onKey, onSize) {
    const within = this.element.contentDocument;
    await firstSheet;
    const style = within.createElement("style");
    style.textContent = BENEATH + sheet;
    within.head.append(style);
    within.addEventListener("keydown", onKey);
    within.addEventListener("click", follow);
    if (onSize) {
      const observer = new ResizeObserver(() => onSize(this.height));
      observer.observe(within.body);
    }
    return within;
  }

  get height() {
    const body = this.element.contentDocument?.body;
    return body ? Math.ceil(body.getBoundingClientRect().height) : 0;
  }

  // Show a side. What is shown stays until the next one is whole, its maths and pictures included.
  async show(side) {
    const turn = ++this.#shown;
    const within = await this.#ready;
    if (turn !== this.#shown) return false;
    this.look(side);
    const next = within.createElement("div");
    next.dir = "auto";
    next.innerHTML = side.html;           // by the frame's policy, under which nothing executes
    give(next, side);
    next.style.cssText = "height: 0; overflow: hidden; visibility: hidden";
    within.body.append(next);
    await setMaths(next).catch(error => console.error(error));      // it is shown as TeX then
    await Promise.all([...next.querySelectorAll("img")].map(img => img.decode().catch(() => {})));
    if (turn !== this.#shown) {
      next.remove();
      return false;
    }
    next.removeAttribute("style");
    next.id = "qa";
    within.body.replaceChildren(next);
    return true;
  }

  // The classes by which Anki's apps tell a sheet where it is shown.
  look({number = 1, night, isPhone}) {
    const within = this.element.contentDocument;
    if (!within?.body) return;
    within.documentElement.classList.toggle("night-mode", night);
    within.documentElement.classList.toggle("mobile", isPhone);
    within.body.className = `card card${number} isLin fancy${night ? " nightMode night_mode" : ""}`;
  }

  get typed() {
    return this.element.contentDocument?.querySelector("input#typeans")?.value ?? "";
  }

  toAnswer() {
    const within = this.element.contentDocument;
    const view = within?.defaultView;
    const answer = within?.getElementById("answer");
    if (!answer) {
      view?.scrollTo(0, 0);
      return;
    }
    const top = answer.getBoundingClientRect().top;
    if (top > view.innerHeight * 0.6) view.scrollTo({top: view.scrollY + top - 16});
  }

  // Whether there was anything left to scroll.
  scroll(pages) {
    const view = this.element.contentWindow, before = this.place;
    view?.scrollBy({top: pages * (view.innerHeight - 60), behavior: "instant"});
    return this.place !== before;
  }

  get place() {
    return this.element.contentWindow?.scrollY ?? 0;
  }

  set place(top) {
    this.element.contentWindow?.scrollTo(0, top);
  }
}

// What Anki's program, not its templates, makes of a side: inputs, comparisons, sounds.
function give(element, side) {
  const rule = element.querySelector("#answer");
  replace(element, /\[\[type:([^\]]+)\]\]/, () => {
    if (!side.isBack) return input(side);
    const shown = document.createDocumentFragment();
    if (rule) shown.append(rule);        // it is moved to stand before the comparison
    shown.append(compared(side));
    return shown;
  });
  replace(element, /\[sound:([^\]]+)\]/, name => {
    const sound = document.createElement("audio");
    sound.controls = true;
    sound.className = "sound";
    sound.src = `/media/${encodeURIComponent(name)}`;
    return sound;
  });
  for (const link of element.querySelectorAll("a[href]")) link.rel = "noopener noreferrer";
}

function replace(element, pattern, made) {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (pattern.test(texts.currentNode.data)) found.push(texts.currentNode);
  for (let text of found) {
    for (let hit; (hit = pattern.exec(text.data)); ) {
      const rest = text.splitText(hit.index);
      text = rest.splitText(hit[0].length);
      rest.replaceWith(made(hit[1]));
    }
  }
}

// As Anki's program writes them: the type of the field, which a card's sheet may overrule.
const TYPED = "font-family: Arial; font-size: 20px";

function input(side) {
  const box = document.createElement("input");
  box.type = "text";
  box.id = "typeans";
  box.autocomplete = "off";
  box.setAttribute("aria-label", "Your answer");
  box.value = side.typed ?? "";
  box.style.cssText = TYPED;
  const centre = document.createElement("center");
  centre.append(box);
  return centre;
}

function compared(side) {
  const shown = document.createElement("div");
  shown.style.cssText = TYPED;
  const code = document.createElement("code");
  code.id = "typeans";
  const expected = plain(side.expected);
  if (!side.typed) code.append(expected);
  else code.append(...comparison(side.typed, expected));
  shown.append(code);
  return shown;
}

function plain(markup) {
  return PARSER.parseFromString(markup, "text/html").body.textContent.trim();
}

// What was typed, marked, and beneath it what was expected; only the latter if they agree.
function comparison(typed, expected) {
  const mark = (kind, text) => {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    return span;
  };
  if (typed === expected) return [mark("typeGood", expected)];
  const given = [...typed], wanted = [...expected];
  const common = Array.from({length: given.length + 1}, () => new Uint16Array(wanted.length + 1));
  for (let i = given.length - 1; i >= 0; i--) {
    for (let j = wanted.length - 1; j >= 0; j--) {
      common[i][j] = given[i] === wanted[j]
        ? common[i + 1][j + 1] + 1
        : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const above = [], below = [];
  let i = 0, j = 0;
  while (i < given.length || j < wanted.length) {
    let good = "", bad = "", missed = "";
    while (i < given.length && given[i] === wanted[j]) {
      good += given[i++];
      j++;
    }
    while ((i < given.length || j < wanted.length) && given[i] !== wanted[j]) {
      const isBad = i < given.length && (j === wanted.length || common[i + 1][j] >= common[i][j + 1]);
      if (isBad) bad += given[i++];
      else missed += wanted[j++];
    }
    if (good) {
      above.push(["typeGood", good]);
      below.push(["typeGood", good]);
    }
    if (bad) above.push(["typeBad", bad]);
    else if (missed) above.push(["typeMissed", "-".repeat([...missed].length)]);
    if (missed) below.push(["typeMissed", missed]);
  }
  const arrow = document.createElement("span");
  arrow.id = "typearrow";
  arrow.textContent = "↓";
  const line = () => document.createElement("br");
  return [
    ...above.map(each => mark(...each)), line(), arrow, line(), ...below.map(each => mark(...each)),
  ];
}

// A link opens beside this page, a reference within the card; nothing leaves the frame.
function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link) return;
  event.preventDefault();
  const address = link.getAttribute("href");
  if (address.startsWith("#")) {
    link.ownerDocument.getElementById(decodeURIComponent(address.slice(1)))?.scrollIntoView();
  } else if (/^(https?|mailto):/i.test(address)) {
    window.open(address, "_blank", "noopener,noreferrer");
  }
}
