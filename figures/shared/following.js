/** Views that follow another: what a reader chooses in one is shown in them, whether in one figure or in several. */

const RESTED = 150; // ms: a pointer that crosses many heads has none of them fetched

/**
 * Calls `follow(value)` of each of `followers` with what is chosen in `view`: at once where it is pinned, else once the
 * reader rests. Following emits no `input`, so that views may follow each other.
 */
export function following(view, followers) {
  let timer;
  view.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(pass, view.value.pinned ? 0 : RESTED);
  });
  if (view.value.pinned) pass();

  function pass() {
    followers.forEach((one) => one.follow?.(view.value));
  }
}
