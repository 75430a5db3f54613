// A worker that all windows of a browser share: a browser opens six connections to a server, and
// the stream that stays open is one of them. So there is one stream, whatever many windows there are.

import {Feed} from "./feed.js";

const windows = new Set();
const feed = new Feed(told => {
  for (const each of windows) each.postMessage(told);
});

self.addEventListener("connect", ({ports: [port]}) => {
  windows.add(port);
  port.addEventListener("message", () => windows.delete(port));    // it says that it closes
  port.start();
  port.postMessage(feed.all);
});
