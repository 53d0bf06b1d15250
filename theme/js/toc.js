/**
 * The table of contents follows the reader: the link of the section that is being read is the current one. Where the
 * table stands beside the text, it steps aside for wide figures.
 */

const LINE = 0.3; // a section is being read once its heading is above 30% of the window

const contents = document.querySelector(".contents");
const links = contents ? [...contents.querySelectorAll("a[href^='#']")] : [];
const sections = links
  .map((link) => ({ link, heading: document.getElementById(decodeURIComponent(link.hash.slice(1))) }))
  .filter(({ heading }) => heading);
const wide = [...document.querySelectorAll(".article-body > :is(.l-body-outset, .l-page, .l-screen-inset, .l-screen)")];

let current = null;
let due = false;

function follow() {
  due = false;
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  const passed = sections.filter(({ heading }) => heading.getBoundingClientRect().top <= innerHeight * LINE);
  mark((atEnd ? sections : passed).at(-1)?.link ?? null);
  const list = contents.firstElementChild;
  const { top, bottom } = list.getBoundingClientRect();
  const covers = (element) => {
    const box = element.getBoundingClientRect();
    return box.top < bottom + 16 && box.bottom > top - 16;
  };
  contents.classList.toggle("is-covered", getComputedStyle(list).position === "sticky" && wide.some(covers));
}

function mark(link) {
  if (link === current) return;
  current?.removeAttribute("aria-current");
  link?.setAttribute("aria-current", "location");
  current = link;
  const list = contents.firstElementChild; // keep it in sight where the list itself scrolls
  if (link && list.scrollHeight > list.clientHeight) list.scrollTop = link.offsetTop - list.clientHeight / 2;
}

function schedule() {
  if (!due) requestAnimationFrame(follow);
  due = true;
}

// On phones the table is closed, and a reader opens it; wider pages have the room.
const details = contents?.querySelector("details");
matchMedia("(max-width: 599.98px)").addEventListener("change", ({ matches }) => details && (details.open = !matches));

if (sections.length) {
  addEventListener("scroll", schedule, { passive: true });
  addEventListener("resize", schedule, { passive: true });
  follow();
}
