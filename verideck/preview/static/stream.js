// The list view: both sides of every card that is chosen, one beneath the other. Only what is near
// the screen has a frame; what has been measured keeps its height.

import {make} from "./dom.js";
import {editing} from "./editing.js";
import {Frame} from "./frame.js";
import {None} from "./none.js";
import {problem} from "./problems.js";

const GUESS = 420;
const NEAR = 900;
const GAP = 20;

export class Stream {
  #box;
  #space = make("div", {class: "space"});
  #deck;
  #look;
  #onKey;
  #onRead;
  #entries = [];
  #heights = new Map();       // by key
  #drawn = new Map();         // by key
  #free = [];
  #tops = [];
  #waits = false;
  #went = {key: "", top: -1};
  #reading = 0;
  #none;

  constructor(box, deck, look, {onKey, onRead, onAll}) {
    this.#none = new None(onAll);
    this.#box = box;
    this.#deck = deck;
    this.#look = look;
    this.#onKey = onKey;
    this.#onRead = onRead;
    box.append(this.#none.element, this.#space);
    box.addEventListener("scroll", () => this.#soon(), {passive: true});
    box.addEventListener("scroll", () => this.#readSoon(), {passive: true});
    new ResizeObserver(() => this.#soon()).observe(box);
  }

  // Go to a card, or leave the one that is read where it is on the screen, whatever comes above it.
  show(entries, key = "") {
    const {current} = this;
    const before = this.#topOf(current);
    this.#entries = entries;
    if (!entries.some(entry => entry.key === this.#went.key)) this.#went = {key: "", top: -1};
    this.#place();
    const moved = this.#topOf(current) - before;
    if (key) this.go(key);
    else if (moved && this.#went.top !== this.#box.scrollTop) this.#box.scrollTop += moved;
    this.#draw();
  }

  nothing(words, isNarrowed = false) {
    this.#none.say(words, isNarrowed);
  }

  go(key) {
    const top = this.#topOf(key);
    if (top === undefined) return;
    this.#box.scrollTop = top - GAP;
    this.#went = {key, top: this.#box.scrollTop};
  }

  #topOf(key) {
    return this.#tops[this.#entries.findIndex(entry => entry.key === key)];
  }

  // The card that is read now: that which was gone to, also where the list ends below its top.
  get current() {
    if (this.#went.top === this.#box.scrollTop) return this.#went.key;
    const middle = this.#box.scrollTop + GAP + 1;
    let at = this.#tops.findIndex((top, number) => top + this.#height(number) > middle);
    if (at < 0) at = 0;
    return this.#entries[at]?.key ?? "";
  }

  // To the next card, or the one before; its key, or that of the one which is read if there is none.
  step(by) {
    const {current} = this;
    const at = this.#entries.findIndex(entry => entry.key === current);
    const key = this.#entries[at + by]?.key ?? current;
    this.go(key);
    return key;
  }

  clear() {
    for (const {item} of this.#drawn.values()) item.remove();
    this.#drawn.clear();
  }

  relook() {
    this.#heights.clear();
    this.clear();
    this.#place();
    this.#draw();
  }

  #height(at) {
    return this.#heights.get(this.#entries[at].key) ?? GUESS;
  }

  // A card that was gone to stays where it is, whatever becomes of the heights of others.
  #place() {
    const isThere = this.#went.top === this.#box.scrollTop;
    let top = GAP;
    this.#tops = this.#entries.map((_, at) => {
      const here = top;
      top += this.#height(at) + GAP;
      return here;
    });
    this.#space.style.height = `${top}px`;
    for (const [key, {item}] of this.#drawn) {
      const at = this.#entries.findIndex(entry => entry.key === key);
      if (at >= 0) item.style.transform = `translateY(${this.#tops[at]}px)`;
    }
    if (isThere) this.go(this.#went.key);
  }

  #soon() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      this.#draw();
    });
  }

  #readSoon() {
    clearTimeout(this.#reading);
    this.#reading = setTimeout(() => {
      if (!this.#box.hidden) this.#onRead(this.current);
    }, 150);
  }

  #draw() {
    if (this.#box.hidden) return;
    const from = this.#box.scrollTop - NEAR, to = this.#box.scrollTop + this.#box.clientHeight + NEAR;
    const kept = new Map();
    for (let at = firstBelow(this.#tops, from) ; at < this.#entries.length && this.#tops[at] < to; at++) {
      const entry = this.#entries[at];
      const known = this.#known(entry.key);
      const drawn = known ?? this.#make(entry);
      if (drawn.entry !== entry || !known) this.#fill(drawn, entry);
      drawn.item.style.transform = `translateY(${this.#tops[at]}px)`;
      kept.set(entry.key, drawn);
    }
    for (const [key, {item}] of this.#drawn) if (!kept.has(key)) item.remove();
    this.#drawn = kept;
  }

  // What is drawn already; not what the server did not send, whose frame has not come either.
  #known(key) {
    const known = this.#drawn.get(key);
    if (!known || known.entry) return known;
    known.item.remove();
    return undefined;
  }

  #make() {
    const item = make("article", {class: "shown"});
    const head = make("header", {});
    const wrong = make("ol", {class: "wrong"});
    const drawn = {item, head, wrong, entry: null, frame: null};
    drawn.frame = new Frame("Card", {
      onKey: this.#onKey,
      onSize: height => this.#measured(drawn, height),
    });
    item.append(head, wrong, make("div", {class: "device"}, drawn.frame.element));
    this.#space.append(item);
    return drawn;
  }

  async #fill(drawn, entry) {
    drawn.entry = entry;
    drawn.item.classList.toggle("fails", !entry.holds);
    drawn.head.replaceChildren(
      make("strong", {}, entry.id || `${entry.path}:${entry.line}`), " ",
      make("span", {class: "place"}, `${entry.path}:${entry.line}`), " ",
      editing(entry, this.#deck) ?? "");
    const own = this.#deck.problems.filter(each => each.key === entry.key);
    drawn.wrong.replaceChildren(...own.map(each => problem(each, this.#deck)));
    let body;
    try {
      body = await this.#deck.body(entry.body);
    } catch {
      if (drawn.entry === entry) drawn.entry = null;      // it is made again when it is drawn again
      return;
    }
    if (drawn.entry !== entry || !body.faces.length) return;
    const {night, screen} = this.#look();
    drawn.frame.element.title = `Both sides of ${entry.id || "the card"}`;
    const more = body.faces.length - 1;
    if (more) drawn.head.append(" ", make("span", {class: "more"}, `the first of ${more + 1} cards`));
    await drawn.frame.show({
      html: body.faces[0].back, number: body.faces[0].number, night, isPhone: screen !== "desktop",
      isBack: true, expected: body.typed, typed: "",
    });
  }

  #measured(drawn, height) {
    if (!height || !drawn.entry || !drawn.item.isConnected) return;
    drawn.frame.element.style.height = `${height}px`;
    const {key} = drawn.entry;
    const whole = Math.ceil(drawn.item.getBoundingClientRect().height);
    const before = this.#heights.get(key) ?? GUESS;
    if (whole === before) return;
    const at = this.#entries.findIndex(entry => entry.key === key);
    const isAbove = at >= 0 && this.#tops[at] + before < this.#box.scrollTop;
    this.#heights.set(key, whole);
    this.#place();
    if (isAbove && this.#went.top !== this.#box.scrollTop) this.#box.scrollTop += whole - before;
    this.#soon();
  }
}

// The first of sorted numbers whose item reaches below a place.
function firstBelow(tops, place) {
  let low = 0, high = tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle] < place) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
