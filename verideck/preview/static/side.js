// Decks, and what else narrows the list down.

import {make, number} from "./dom.js";

const SHOWN = [
  ["problem", "With a problem", entry => !entry.holds || Boolean(entry.worst)],
  ["unverified", "Not verified", entry => Boolean(entry.unverified)],
  ["changed", "Changed since the last build", entry => entry.since === "changed"],
  ["new", "New to the lock", entry => entry.since === "new"],
];
const KINDS = ["basic", "typed", "cloze"];

export class Side {
  deck = "";
  #chosen = new Set();        // `show:new`, `kind:cloze`, `tag:a`
  #folded = new Set();
  #box;
  #onChange;
  #told = "";

  constructor(box, onChange) {
    this.#box = box;
    this.#onChange = onChange;
  }

  get isSet() {
    return Boolean(this.deck || this.#chosen.size);
  }

  clear() {
    this.deck = "";
    this.#chosen.clear();
  }

  passes(entry) {
    if (this.deck && entry.deck !== this.deck && !entry.deck.startsWith(`${this.deck}::`)) return false;
    for (const [name, , holds] of SHOWN) if (this.#chosen.has(`show:${name}`) && !holds(entry)) return false;
    const kinds = KINDS.filter(kind => this.#chosen.has(`kind:${kind}`));
    if (kinds.length && !kinds.includes(entry.kind)) return false;
    for (const each of this.#chosen) {
      if (each.startsWith("tag:") && !entry.tags.includes(each.slice(4))) return false;
    }
    return true;
  }

  draw(entries) {
    const counts = count(entries, this.deck, this.#chosen);
    const told = JSON.stringify([counts, this.deck, [...this.#chosen], [...this.#folded]]);
    if (told === this.#told) return;
    this.#told = told;
    const focused = document.activeElement?.closest("#side [data-name]")?.dataset.name;
    this.#box.replaceChildren(
      make("h2", {}, "Decks"),
      this.#tree(counts.decks, entries.length),
      make("h2", {}, "Show"),
      this.#switches(SHOWN.map(([name, words]) => [`show:${name}`, words, counts.shown[name]])),
      make("h2", {}, "Kind"),
      this.#switches(KINDS.map(kind => [`kind:${kind}`, kind, counts.kinds[kind] ?? 0])
        .filter(each => each[2] || this.#chosen.has(each[0]))),
      counts.tags.length ? make("h2", {}, "Tags") : "",
      this.#switches(counts.tags.map(([tag, times]) => [`tag:${tag}`, tag, times])),
    );
    if (focused) this.#box.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  #switches(rows) {
    return make("ul", {class: "switches"}, ...rows.map(([name, words, times]) => {
      const isOn = this.#chosen.has(name);
      const button = make("button", {
        type: "button", "aria-pressed": String(isOn), "data-name": name,
        disabled: !times && !isOn,
        onclick: () => {
          if (!this.#chosen.delete(name)) this.#chosen.add(name);
          this.#onChange();
        },
      }, make("span", {}, words), make("span", {class: "times"}, number(times ?? 0)));
      return make("li", {}, button);
    }));
  }

  #tree(decks, all) {
    const roots = nested(decks);
    const node = each => {
      const isOpen = !this.#folded.has(each.name);
      const button = make("button", {
        type: "button", class: "deck", "data-name": `deck:${each.name}`,
        "aria-current": this.deck === each.name ? "true" : null,
        onclick: () => {
          this.deck = this.deck === each.name ? "" : each.name;
          this.#onChange();
        },
      }, make("span", {}, each.label), make("span", {class: "times"}, number(each.times)));
      const item = make("li", {}, make("div", {class: "branch"}));
      if (each.below.length) {
        item.firstChild.append(make("button", {
          type: "button", class: "fold", "aria-expanded": String(isOpen),
          "aria-label": `Decks in ${each.label}`, "data-name": `fold:${each.name}`,
          onclick: () => {
            if (!this.#folded.delete(each.name)) this.#folded.add(each.name);
            this.#onChange();
          },
        }));
      }
      item.firstChild.append(button);
      if (each.below.length && isOpen) item.append(make("ul", {}, ...each.below.map(node)));
      return item;
    };
    const every = make("button", {
      type: "button", class: "deck", "data-name": "deck:",
      "aria-current": this.deck ? null : "true",
      onclick: () => { this.deck = ""; this.#onChange(); },
    }, make("span", {}, "All cards"), make("span", {class: "times"}, number(all)));
    return make("ul", {class: "tree"},
      make("li", {}, make("div", {class: "branch"}, every)), ...roots.map(node));
  }
}

// What is chosen is listed where no card has it any more, too: nothing else would say why none is
// shown.
function count(entries, deck, chosen) {
  const kinds = {}, shown = {};
  const decks = new Map(deck ? [[deck, 0]] : []);
  const tags = new Map([...chosen].filter(name => name.startsWith("tag:")).map(name => [name.slice(4), 0]));
  for (const entry of entries) {
    decks.set(entry.deck, (decks.get(entry.deck) ?? 0) + 1);
    kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1;
    for (const tag of entry.tags) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    for (const [name, , holds] of SHOWN) if (holds(entry)) shown[name] = (shown[name] ?? 0) + 1;
  }
  const sorted = [...tags].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
  return {decks: [...decks], tags: sorted, kinds, shown};
}

// Decks by their names' parts. A deck without a card of its own stands where others are below it.
function nested(decks) {
  const top = {below: new Map(), times: 0};
  for (const [name, times] of decks) {
    let above = top, path = "";
    for (const label of name.split("::")) {
      path = path ? `${path}::${label}` : label;
      if (!above.below.has(label)) above.below.set(label, {name: path, label, times: 0, below: new Map()});
      above = above.below.get(label);
      above.times += times;
    }
  }
  const listed = each => [...each.below.values()].map(one => ({...one, below: listed(one)}));
  return listed(top);
}
