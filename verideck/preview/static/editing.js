// Opens a place in the author's editor: by a link of the editor's own, or by the server.

import {make} from "./dom.js";

export function editing(place, deck, words = "edit") {
  const label = `Edit ${place.path} at line ${place.line}`;
  if (deck.hello.editor) {
    return make("a", {class: "link edit", href: address(place, deck), "aria-label": label}, words);
  }
  if (!deck.hello.edits) return null;
  const button = make("button", {type: "button", class: "link edit", "aria-label": label}, words);
  button.addEventListener("click", () => edit(place, deck, button));
  return button;
}

export async function edit(place, deck, button = null) {
  if (deck.hello.editor) return location.assign(address(place, deck));
  const said = await refusal(place);
  if (said) {
    document.dispatchEvent(new CustomEvent("said", {detail: said}));
    button?.setAttribute("title", said);
  }
  return undefined;
}

// Why the server has not opened a place; "" if it has.
async function refusal({path, line, column}) {
  try {
    const answer = await fetch("/edit", {
      method: "POST",
      headers: {"content-type": "application/json"},
      body: JSON.stringify({path, line, column}),
    });
    return answer.ok ? "" : await answer.text();
  } catch {
    return "the server has stopped, and nothing is opened";
  }
}

function address({path, line, column}, deck) {
  const file = path.startsWith("/") ? path : `${deck.summary.root}/${path}`;
  const parts = {file: encoded(file), line, column};
  return deck.hello.editor.replace(/\{(file|line|column)\}/g, (_, name) => parts[name]);
}

// No character of a file's name ends its part of the address: a name may hold "&line=1" or "?".
function encoded(file) {
  return file.split("/").map(encodeURIComponent).join("/").replaceAll("%3A", ":");
}
