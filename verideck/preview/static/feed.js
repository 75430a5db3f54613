// What the server tells: one stream of it, and all that it has told so far.

export class Feed {
  #tell;
  #told = {isLost: false};      // for whoever comes later: hello, run, deck, isLost
  #since = "";
  #stream = null;

  // `tell` is called with what is new; see `all`.
  constructor(tell) {
    this.#tell = tell;
    this.open();
  }

  // All that was told: `{hello, run, deck, isLost}`, of which `deck` is the whole deck.
  get all() {
    return this.#told;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  close() {
    this.#stream?.close();
    this.#stream = null;
  }

  open() {
    this.close();
    const stream = new EventSource(`/events?since=${this.#since}`);
    this.#stream = stream;
    stream.addEventListener("open", () => this.#hear({isLost: false}));
    stream.addEventListener("error", () => {
      if (this.#stream !== stream) return;
      this.#hear({isLost: true});
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 1000);
    });
    for (const name of ["hello", "run"]) {
      stream.addEventListener(name, ({data}) => this.#hear({[name]: JSON.parse(data)}));
    }
    stream.addEventListener("deck", event => {
      this.#since = event.lastEventId;
      const deck = JSON.parse(event.data);
      this.#told.deck = patched(this.#told.deck, deck);
      this.#tell({deck});
    });
  }

  #hear(told) {
    if ("isLost" in told && told.isLost === this.#told.isLost) return;
    Object.assign(this.#told, told);
    this.#tell(told);
  }
}

// A deck with a change: `all` has every row, `set` those whose hashes are others, `splice` so many
// that go at a position, and those that come there.
export function patched(deck = {all: [], problems: [], summary: {}}, told) {
  const all = told.all ?? [...deck.all];
  for (const [number, hash] of told.set ?? []) all[number] = [all[number][0], hash];
  if (told.splice) all.splice(told.splice[0], told.splice[1], ...told.splice[2]);
  return {all, problems: told.problems ?? deck.problems, summary: told.summary ?? deck.summary};
}
