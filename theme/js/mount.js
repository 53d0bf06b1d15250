/**
 * Draws each explorable over its fallback when it nears the screen, and keeps what a reader pins in the address.
 *
 * A figure with `data-view` (its kind's module) goes through `data-state`: none, `loading`, then `ready`, or `failed`
 * with the fallback left as it was. Its result is at `data-src`; a gallery has several panels with one each. With
 * `data-follows` it shows what is chosen in the figure of that id.
 */

const NEAR = "1250px"; // as browsers do with pictures: drawn before it is seen, so that nothing jumps, not before it is wanted

const AGAIN = 1000; // ms

const files = new Map();
const drawing = new WeakMap();
const unwritten = new Map(); // what readers have pinned that is not in the address yet
let retry;

/** Fetches a file once, however many figures show it. */
function read(url) {
  if (!files.has(url)) {
    const answer = fetch(url).then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))));
    answer.catch(() => files.delete(url)); // it may come next time
    files.set(url, answer);
  }
  return files.get(url);
}

/** Draws a figure, once; resolves when it is drawn. Then `figure.views` are the views of its panels. */
export function mount(figure) {
  if (!drawing.has(figure)) drawing.set(figure, draw(figure));
  return drawing.get(figure);
}

async function draw(figure) {
  figure.dataset.state = "loading";
  const panels = figure.dataset.src ? [figure] : [...figure.querySelectorAll(".panel")];
  try {
    const module = await import(new URL(figure.dataset.view, document.baseURI));
    figure.views = await Promise.all(panels.map((panel) => drawPanel(figure, panel, module.default)));
    if (panels.length > 1) (await import("./gallery.js")).default(figure, panels);
    figure.dataset.state = "ready";
    if (figure.dataset.follows) follow(figure, document.getElementById(figure.dataset.follows));
  } catch {
    figure.dataset.state = "failed";
    const note = document.createElement("p");
    note.className = "figure-note";
    note.textContent = "The interactive figure could not be loaded; what it shows at first stands here.";
    figure.querySelector(".figure-body").append(note);
  }
}

/** Lets a figure show what readers choose in another, panel by panel where both have several. */
async function follow(figure, followed) {
  const [{ following }] = await Promise.all([import("../figures/shared/following.js"), mount(followed)]);
  const [ours, theirs = []] = [figure.views, followed.views];
  theirs.forEach((view, i) => following(view, theirs.length > 1 && ours.length > 1 ? ours.slice(i, i + 1) : ours));
}

async function drawPanel(figure, panel, view) {
  const body = panel.querySelector(".panel-body, .figure-body");
  const source = new URL(panel.dataset.src, document.baseURI).href;
  const { data, checks, provenance } = await read(source);
  const { id } = panel;
  const element = view(data, {
    figure,
    id,
    kind: figure.dataset.kind,
    checks,
    provenance,
    reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
    value: recall(id),
    piece: (name) => read(source.replace(/\.json$/, `/${name}.json`)),
    extent: JSON.parse(figure.dataset.extent ?? "{}"),
  });
  element.addEventListener("input", () => remember(id, element.value));
  keepHeight(body);
  const held = body.contains(document.activeElement); // a reader who tabs along keeps the place
  body.replaceChildren(element);
  if (held) element.querySelector("[tabindex='0']")?.focus(); // and keeps it in sight
  return element;
}

/** Holds a body as tall as its fallback was, so that the text below does not jump, until it is another figure's height. */
function keepHeight(body) {
  const width = body.clientWidth;
  const observer = new ResizeObserver(() => body.clientWidth === width || release());
  body.style.minHeight = `${body.offsetHeight}px`;
  body.addEventListener("change", release); // a reader chose another view
  observer.observe(body);

  function release() {
    body.style.minHeight = "";
    observer.disconnect();
  }
}

/** Writes a pinned selection into the query, `?fig-eu=position.31_unit.words`; the rest of the address stays. */
function remember(id, value) {
  unwritten.set(id, value);
  write();
}

/** Writes what is new; browsers refuse more than some hundred addresses in half a minute, so that it is tried again. */
function write() {
  const url = new URL(location.href);
  for (const [id, value] of unwritten) {
    const pairs = Object.entries(value ?? {}).filter(([key, item]) => key !== "pinned" && item !== null);
    if (value?.pinned) url.searchParams.set(id, pairs.map(([key, item]) => `${key}.${item}`).join("_"));
    else url.searchParams.delete(id);
  }
  clearTimeout(retry);
  try {
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  } catch {
    // Safari throws, others only do not do it
  }
  if (url.href === location.href) unwritten.clear();
  else retry = setTimeout(write, AGAIN);
}

/** Reads it back: names have no `_`, what they stand for may. Anything may be in an address, and a view takes what it knows. */
function recall(id) {
  const text = new URL(location.href).searchParams.get(id);
  if (!text) return undefined;
  const pairs = text.split(/_(?=[^_.]+\.)/).map((pair) => /^(\w+?)\.(.+)$/.exec(pair)).filter(Boolean);
  const read = (item) => (item === "true" ? true : item === "false" ? false : /^-?\d+(\.\d+)?$/.test(item) ? Number(item) : item);
  return { ...Object.fromEntries(pairs.map(([, key, item]) => [key, read(item)])), pinned: true };
}

const figures = document.querySelectorAll("figure[data-view]");
if ("IntersectionObserver" in window) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        mount(target);
      }
    },
    { rootMargin: `${NEAR} 0px` },
  );
  figures.forEach((figure) => observer.observe(figure));
  addEventListener("beforeprint", () => figures.forEach(mount));
} else {
  figures.forEach(mount);
}
