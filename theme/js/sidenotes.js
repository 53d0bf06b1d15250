/**
 * Side notes: where there is a margin, each footnote stands there beside its mark. A note moves down, or up if that is
 * nearer, where another one, an aside or a wide figure is in its place already. Elsewhere, on paper and without this
 * script they are notes at the end, with cards.
 */

const GAP = 12; // px between two notes
const wide = matchMedia("(min-width: 1180px)"); // as in grid.css
const list = document.querySelector(".footnotes[data-beside]");
const page = document.querySelector(".article-body");
const notes = list ? [...list.querySelectorAll(".footnote")].map((note) => ({ note, marks: marksOf(note) })) : [];

function marksOf(note) {
  return [...document.querySelectorAll(".footnote-mark > a")].filter((mark) => mark.hash === `#${note.id}` && !mark.closest(".card"));
}

/** What lies in the margin already, as pairs of top and bottom. */
function taken(left, right, origin) {
  const wides = ".article-body > :is(.l-body-outset, .l-page, .l-screen-inset, .l-screen) > :not(figcaption)";
  const others = ".article-body > :is(.l-gutter, :not(figure):is(.l-body-outset, .l-page, .l-screen-inset, .l-screen)), .beside > *";
  return [...document.querySelectorAll(`${wides}, ${others}`)]
    .map((element) => element.getBoundingClientRect())
    .filter((box) => box.height && box.right > left && box.left < right)
    .map((box) => [box.top - origin - GAP, box.bottom - origin + GAP])
    .sort((a, b) => a[0] - b[0]);
}

/** The free place nearest to the wanted one, below all notes before. */
function findPlace(wanted, height, least, blocks) {
  const free = (top) => top >= least && blocks.every(([from, to]) => top + height <= from || top >= to);
  const places = [Math.max(wanted, least), ...blocks.flatMap(([from, to]) => [from - height, to])];
  return places.filter(free).sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0];
}

function lay() {
  list.classList.toggle("is-beside", wide.matches);
  for (const { marks } of notes) {
    for (const mark of marks) {
      mark.dataset.note ??= mark.dataset.card; // a card would say again what stands beside
      for (const [name, value] of [["data-card", mark.dataset.note], ["aria-haspopup", "dialog"], ["aria-expanded", "false"]]) {
        if (wide.matches) mark.removeAttribute(name);
        else mark.setAttribute(name, value);
      }
    }
  }
  page.style.paddingBottom = "";
  if (!wide.matches) return;
  const origin = notes[0].note.offsetParent.getBoundingClientRect().top;
  const { left, right } = notes[0].note.getBoundingClientRect();
  const blocks = taken(left, right, origin);
  const placed = notes.map(({ note, marks }) => {
    const mark = marks.find((one) => one.getClientRects().length);
    note.classList.toggle("is-away", !mark); // its mark is in something closed
    return { note, wanted: mark ? mark.getBoundingClientRect().top - origin - 4 : 0, height: mark ? note.offsetHeight : 0 };
  });
  let least = 0;
  for (const { note, wanted, height } of placed.filter(({ height }) => height).sort((a, b) => a.wanted - b.wanted)) {
    const top = findPlace(wanted, height, least, blocks);
    note.style.top = `${top}px`;
    least = top + height + GAP;
  }
  const over = least + origin - page.getBoundingClientRect().bottom;
  if (over > 0) page.style.paddingBottom = `${over}px`; // what comes after the text stays below them
}

function point({ type, target }) {
  const mark = target.closest?.(".footnote-mark > a");
  const found = notes.find(({ marks }) => marks.includes(mark));
  found?.note.classList.toggle("is-pointed", type === "pointerover" || type === "focusin");
}

if (notes.length) {
  for (const { note } of notes) note.tabIndex = -1;
  lay();
  wide.addEventListener("change", lay);
  new ResizeObserver(lay).observe(page);
  document.fonts?.ready.then(lay);
  for (const type of ["pointerover", "pointerout", "focusin", "focusout"]) addEventListener(type, point);
  addEventListener("click", (event) => {
    const found = wide.matches && notes.find(({ marks }) => marks.includes(event.target.closest?.(".footnote-mark > a")));
    if (!found) return;
    event.preventDefault();
    found.note.focus({ preventScroll: true });
    found.note.scrollIntoView({ block: "nearest" });
  });
}
