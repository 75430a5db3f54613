// What stands where no card is: why there is none, and the way back where that was chosen.

import {make} from "./dom.js";

export class None {
  #words = make("p", {class: "empty"});
  #all;

  constructor(onAll) {
    this.#all = make("button", {type: "button", class: "plain", hidden: true, onclick: onAll},
      "Clear search and filters");
    this.element = make("div", {class: "none"}, this.#words, this.#all);
  }

  // `isNarrowed`: whether a search or a filter is what leaves none.
  say(words, isNarrowed = false) {
    this.#words.textContent = words;
    this.#all.hidden = !words || !isNarrowed;
  }
}
