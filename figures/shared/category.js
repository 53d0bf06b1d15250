/** Colours of things that are told apart: factors, clusters, heads. They are the theme's, and begin anew after the last. */
const COUNT = 12;

/** Returns the CSS colour of the thing with that number, from 1. */
export function category(number) {
  return `var(--category-${((number - 1) % COUNT) + 1})`;
}
