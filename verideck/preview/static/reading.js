// Which card is read: the one that was wished for, or what stands in for it while it is away.

// Whether both are the same card: by its key, or by its id where it has another key now.
export const isSame = (one, other) => one.key === other.key || Boolean(one.id) && one.id === other.id;

export class Reading {
  entry = null;               // what is shown
  position = 0;               // where that stands among those that are chosen
  isAwaited = false;          // whether the one that is wished for may be among those still to come
  #wished;                    // {key, id}

  constructor(name) {
    this.wish(name);
  }

  // By a key, or by an id as an address has it. Nothing is wished for by "".
  wish(name) {
    this.#wished = {key: name, id: name};
  }

  wishFor({key, id}) {
    this.#wished = {key, id};
  }

  get isStandIn() {
    return Boolean(this.entry) && !isSame(this.entry, this.#wished);
  }

  // What is shown of those that are chosen now. While cards are still to come, the one that is
  // wished for may be among them, and what is shown stays.
  settle(entries, visible, isWhole) {
    this.isAwaited = !isWhole && this.#wished.key !== "" && find(entries, this.#wished) < 0;
    const at = this.isAwaited ? -1 : this.#choose(visible);
    if (at < 0) {
      if (!this.isAwaited) this.entry = null;
      return;
    }
    this.entry = visible[at];
    this.position = at;
    if (!this.#wished.key) this.wishFor(this.entry);
  }

  // What stands in for a card stays while it can; the next card takes the place of one that goes.
  #choose(visible) {
    const wished = find(visible, this.#wished);
    if (wished >= 0) return wished;
    const same = this.entry ? find(visible, this.entry) : -1;
    return same >= 0 ? same : Math.min(this.position, visible.length - 1);
  }
}

function find(entries, wished) {
  const at = entries.findIndex(entry => entry.key === wished.key);
  return at >= 0 ? at : entries.findIndex(entry => isSame(entry, wished));
}
