/**
 * The switch between day and night. What a reader chose is kept; choosing what the system says anyway forgets it again,
 * so that the page follows the system as before. The inline script in the head has set the choice before the first paint.
 */

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const button = document.querySelector(".theme-toggle");

const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

function show() {
  button.setAttribute("aria-pressed", String(isDark()));
}

function choose(dark) {
  const theme = dark === system.matches ? null : dark ? "dark" : "light";
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch {
    // storage may be forbidden; then the choice holds for this page
  }
  show();
}

if (button) {
  show();
  button.addEventListener("click", () => choose(!isDark()));
  system.addEventListener("change", show);
}
