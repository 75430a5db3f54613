// One card: where it stands, what is wrong with it, its side in a frame, its proof.

import {make, refill} from "./dom.js";
import {editing} from "./editing.js";
import {Frame} from "./frame.js";
import {None} from "./none.js";
import {problem} from "./problems.js";
import {proof} from "./proof.js";
import {isSame} from "./reading.js";

export class Stage {
  entry = null;
  isBack = false;
  #card = 0;
  #typed = "";
  #deck;
  #look;
  #frame;
  #box;
  #parts;
  #turn = 0;
  #shown = "";
  #waits = 0;
  #left = null;               // the card that something stands in for, and how it was shown
  #onAct;
  #onBack;
  #none;

  // `onAct` hears that the card is turned over or another one of its note shown, `onBack` that the list of
  // cards is asked for, `onAll` that all cards are.
  constructor(box, deck, look, {onKey, onAct, onBack, onAll}) {
    this.#onAct = onAct;
    this.#onBack = onBack;
    this.#none = new None(onAll);
    this.#box = box;
    this.#deck = deck;
    this.#look = look;
    this.#frame = new Frame("Card", {onKey});
    this.#parts = {
      head: make("div", {class: "head"}),
      wrong: make("ol", {class: "wrong", hidden: true}),
      stale: make("p", {class: "stale", hidden: true}),
      device: make("div", {class: "device"}, this.#frame.element),
      turn: make("button", {type: "button", class: "turn", onclick: () => this.flip()}),
      foot: make("div", {class: "foot"}),
    };
    const {head, wrong, stale, device, turn, foot} = this.#parts;
    box.append(head, wrong, stale, device, make("div", {class: "turns"}, turn), foot, this.#none.element);
    this.nothing("");
  }

  nothing(words, isNarrowed = false) {
    this.#leave();
    this.entry = null;
    this.#turn++;
    this.#shown = "";
    this.#box.classList.add("is-empty");
    this.#none.say(words, isNarrowed);
  }

  // Show a card from its front, or the same card as it is now. What stands in for a card leaves that
  // card's side, and what was typed there, for when it is there again.
  async show(entry, isStandIn = false) {
    const keepsPlace = this.entry !== null && isSame(this.entry, entry);
    const left = this.#left && isSame(this.#left.entry, entry) ? this.#left : null;
    if (!keepsPlace) {
      if (isStandIn) this.#leave();
      this.isBack = left?.isBack ?? false;
      this.#card = left?.card ?? 0;
      this.#waits = 0;        // how many there are is told with its body
      this.#typed = left?.typed ?? "";
    }
    if (!isStandIn) this.#left = null;
    this.entry = entry;
    this.#box.classList.remove("is-empty");
    await this.#draw({keepsPlace, place: left?.place});
  }

  #leave() {
    if (!this.entry || this.#left) return;
    const typed = this.isBack ? this.#typed : this.#frame.typed;
    const {entry, isBack} = this;
    this.#left = {entry, isBack, card: this.#card, typed, place: this.#frame.place};
  }

  async flip() {
    if (!this.entry) return;
    this.#onAct();
    if (!this.isBack) this.#typed = this.#frame.typed;
    this.isBack = !this.isBack;
    await this.#draw({flips: true});
  }

  // To the next card of the same note, or the one before; false if there is none.
  step(by) {
    const next = this.#card + by;
    if (!this.entry || next < 0 || next >= this.#waits) return false;
    this.#onAct();
    this.#card = next;
    this.isBack = false;
    this.#typed = "";
    this.#draw({});
    return true;
  }

  relook() {
    const {night, screen} = this.#look();
    this.#frame.look({number: this.#number, night, isPhone: screen !== "desktop"});
  }

  // The card first, and what is around it where the window is too low for both.
  scroll(pages) {
    if (this.#frame.scroll(pages)) return;
    this.#box.scrollBy({top: pages * this.#box.clientHeight});
    scrollBy({top: pages * innerHeight});
  }

  #number = 1;

  async #draw({keepsPlace = false, flips = false, place = 0}) {
    const turn = ++this.#turn, {entry} = this;
    let body;
    try {
      body = await this.#deck.body(entry.body);
    } catch {                 // a newer entry is on its way, or the server has stopped
      if (turn === this.#turn && !keepsPlace) this.#without(entry);
      return;
    }
    if (turn !== this.#turn) return;
    this.#waits = body.faces.length;
    this.#card = Math.min(this.#card, Math.max(0, body.faces.length - 1));
    const face = body.faces[this.#card];
    this.#number = face?.number ?? 1;
    const {night, screen} = this.#look();
    const html = face ? (this.isBack ? face.back : face.front) : "";
    this.#head(entry, body);
    this.#wrong(entry, face);
    this.#foot(entry, body);
    this.#parts.device.hidden = !face;
    this.#parts.turn.parentNode.hidden = !face;
    this.#parts.turn.textContent = this.isBack ? "Show question" : "Show answer";
    this.#frame.element.title = `${this.isBack ? "Back" : "Front"} of ${entry.id || "the card"}`;
    if (!face) {
      this.#box.dataset.shown = `${entry.key} nothing ${entry.body}`;
      return;
    }
    const shown = `${this.isBack} ${this.#number} ${html}`;
    if (shown === this.#shown) {
      this.relook();
      return;
    }
    const done = await this.#frame.show({
      html, number: this.#number, night, isPhone: screen !== "desktop", isBack: this.isBack,
      expected: body.typed, typed: this.#typed,
    });
    if (!done) return;
    this.#shown = shown;
    if (flips && this.isBack) this.#frame.toAnswer();
    else if (!keepsPlace) this.#frame.place = place;
    this.#box.dataset.shown = `${entry.key} ${this.isBack ? "back" : "front"} ${entry.body}`;
  }

  // The card that is chosen, as far as it is known; not the one before it.
  #without(entry) {
    this.#head(entry, {faces: []});
    this.#wrong(entry);
    this.#parts.device.hidden = this.#parts.turn.parentNode.hidden = true;
    this.#parts.foot.replaceChildren();
    this.#parts.stale.hidden = false;
    this.#parts.stale.textContent = "The server has not sent this card. It is shown when it does.";
    this.#shown = "";
    this.#frame.place = 0;
    this.#box.dataset.shown = `${entry.key} nothing ${entry.body}`;
  }

  #head(entry, body) {
    const parts = entry.deck.split("::");
    const tabs = body.faces.length > 1 ? make("div", {class: "tabs", role: "group", "aria-label": "Cards of this note"},
      ...body.faces.map((face, at) => make("button", {
        type: "button", "aria-pressed": String(at === this.#card),
        onclick: () => this.step(at - this.#card),
      }, entry.kind === "cloze" ? `c${face.number}` : face.template))) : "";
    refill(this.#parts.head,
      make("button", {
        type: "button", class: "link back",
        onclick: this.#onBack,
      }, "← all cards"),
      make("p", {class: "path"}, ...parts.flatMap((part, at) => [
        at ? make("span", {class: "sep", "aria-hidden": "true"}, " / ") : "", part,
      ])),
      make("p", {class: "names"}, make("strong", {}, entry.id || "no id yet"), " ",
        make("span", {class: "place"}, `${entry.path}:${entry.line}`), " ",
        editing(entry, this.#deck) ?? ""),
      tabs,
      entry.tags.length ? make("p", {class: "tags"}, ...entry.tags.map(tag => make("span", {}, tag))) : "",
    );
  }

  #wrong(entry, face) {
    const own = this.#deck.problems.filter(each => each.key === entry.key);
    this.#parts.wrong.hidden = !own.length;
    this.#parts.wrong.replaceChildren(...own.map(each => problem(each, this.#deck)));
    this.#parts.stale.hidden = entry.holds;
    this.#parts.stale.textContent = face
      ? "This is the card as it was when it last held."
      : `This card has not held yet: ${entry.question}`;
    this.#box.classList.toggle("fails", !entry.holds);
  }

  #foot(entry, body) {
    const wasOpen = this.#parts.foot.querySelector("details")?.open ?? false;
    const shown = proof(body, entry, this.#deck);
    if (wasOpen && shown.matches("details")) shown.open = true;
    this.#parts.foot.replaceChildren(shown);
  }
}
