// The panel of decks and filters, where the window has no column for it. It lies on the rest, so it is
// closed by whatever leaves it, and what the bar has no room for stands in it, too.

const ROOMY = matchMedia("(min-width: 901px)");

export class Panel {
  #panel;
  #opener;
  #closer;

  constructor(panel, opener, closer, veil) {
    this.#panel = panel;
    this.#opener = opener;
    this.#closer = closer;
    opener.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    closer.addEventListener("click", () => this.close());
    veil.addEventListener("click", () => this.close());
    document.addEventListener("focusin", ({target}) => {
      if (this.isOpen && !target.closest("dialog") && !panel.contains(target)) this.#set(false);
    });
  }

  get isOpen() {
    return document.body.classList.contains("sided");
  }

  open() {
    this.#set(true);
    this.#closer.focus();
  }

  close() {
    this.#set(false);
    this.#opener.focus();
  }

  #set(isOpen) {
    document.body.classList.toggle("sided", isOpen);
    this.#opener.setAttribute("aria-expanded", String(isOpen));
  }
}

// What is chosen stays within reach, however narrow the window is.
export function keepWithinReach({bar, panel, first, last}) {
  const place = () => {
    if (ROOMY.matches) {
      bar.prepend(...first);
      bar.append(...last);
    } else panel.append(...first, ...last);
  };
  ROOMY.addEventListener("change", place);
  place();
}
