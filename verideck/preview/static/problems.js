// Problems, with their source lines: those of the deck at the top, those of a card on it.

import {counted, make, refill} from "./dom.js";
import {editing} from "./editing.js";

export function showProblems(section, deck, onGo) {
  const {problems} = deck;
  section.hidden = !problems.length;
  if (!problems.length) return section.replaceChildren();
  const errors = problems.filter(each => each.severity === "error").length;
  const warnings = problems.length - errors;
  const said = [errors && counted(errors, "error"), warnings && counted(warnings, "warning")];
  const first = problems.find(each => each.severity === "error") ?? problems[0];
  // What belongs to a card is told on it, too; what belongs to none, only here.
  const isOpen = section.querySelector("details")?.open
    ?? problems.some(each => each.severity === "error" && !each.key);
  section.className = errors ? "bad" : "doubt";
  const list = make("ol", {}, ...problems.slice(0, 200).map(each => problem(each, deck, onGo)));
  refill(section, make(
    "details", {open: isOpen},
    make("summary", {}, said.filter(Boolean).join(", "),
      make("span", {class: "first"}, `${first.path}:${first.line} ${first.message.split("\n")[0]}`)),
    list,
    problems.length > 200 ? make("p", {}, `and ${problems.length - 200} more`) : null,
  ));
  return undefined;
}

export function problem(each, deck, onGo = null) {
  const [first, ...more] = each.message.split("\n");
  const item = make("li", {class: `problem ${each.severity === "error" ? "bad" : "doubt"}`});
  const place = `${each.path}:${each.line}:${each.column}`;
  const head = make("p", {class: "said"},
    make("span", {class: "what"}, first), " ", make("code", {class: "code"}, each.code));
  const where = make("p", {class: "where"}, make("span", {class: "place"}, place));
  if (onGo && each.key) {
    where.append(" ", make("button", {type: "button", class: "link", onclick: () => onGo(each.key)},
      "show card"));
  }
  where.append(" ", editing(each, deck) ?? "");
  item.append(head, where);
  if (each.source.trim()) {
    item.append(make("pre", {class: "source"},
      make("span", {class: "line"}, `${each.line} `), each.source));
  }
  if (more.length) item.append(make("pre", {class: "values"}, more.join("\n")));
  if (each.hint) item.append(make("p", {class: "hint"}, each.hint));
  return item;
}
