// Makes theme/built/ out of node_modules: one D3 bundle, KaTeX, the text fonts cut to size, and everybody's licence.
// Usage: node bundle.mjs OUTPUT, in a folder where `npm ci` has run. `hatch_build.py` calls it; nobody else needs to.
import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import subsetFont from "subset-font";

const output = process.argv[2];
const modules = "node_modules";

// Each file is one face of one family. Axes are cut to what the style sheets use, which halves the files: a text face
// at its reading size, a display face at 72 pt, weights from regular to bold. None of these fonts reserves its name,
// so the Open Font License lets us cut them and keep calling them by it.
const fonts = [
  { name: "text", package: "literata", file: "opsz-normal", axes: { opsz: 16, wght: { min: 400, max: 700 } } },
  { name: "text-italic", package: "literata", file: "opsz-italic", axes: { opsz: 16, wght: { min: 400, max: 700 } } },
  { name: "display", package: "literata", file: "opsz-normal", axes: { opsz: 72, wght: 500 } },
  { name: "ui", package: "hanken-grotesk", file: "wght-normal", axes: { wght: { min: 400, max: 700 } } },
  { name: "mono", package: "red-hat-mono", file: "wght-normal", axes: { wght: { min: 400, max: 700 } } },
];
// One of them for cards, which a program draws when the site is built: it reads neither woff2 nor axes.
const drawn = { name: "display", package: "literata", file: "opsz-normal", axes: { opsz: 72, wght: 500 } };
// What nearly every English text has is a file of its own, two thirds of Latin: accents come with the rest of it.
const basic =
  "U+20-7E,U+A0,U+AD,U+B7,U+D7,U+2009-200B,U+2010-2011,U+2013-2014,U+2016,U+2018-2019,U+201C-201D,U+2022,U+2026,U+202F,U+2212";
const subsets = {
  latin: (letters) => letters.latin.filter((letter) => letters.basic.has(letter)),
  "latin-rest": (letters) => letters.latin.filter((letter) => !letters.basic.has(letter)),
  "latin-ext": (letters) => letters.ext,
};
const features = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "lnum", "onum", "pnum", "tnum"];

const shipped = new Set(["katex"]);
await bundleD3();
await copyKatex();
for (const font of fonts) for (const subset of Object.keys(subsets)) await cutFont(font, subset, subsets[subset], "fonts", "woff2");
await cutFont(drawn, "latin", (letters) => letters.latin, "cards", "truetype");
await cutFont(drawn, "latin-ext", (letters) => letters.ext, "cards", "truetype");
await copyLicenses();

async function bundleD3() {
  const { metafile } = await build({
    entryPoints: ["d3.js"], outfile: join(output, "d3.js"), bundle: true, format: "esm", minify: true,
    target: "es2022", legalComments: "none", metafile: true, logLevel: "error",
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    const name = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1];
    if (name && bytesInOutput > 0) shipped.add(name);
  }
}

async function copyKatex() {
  const [from, to] = [join(modules, "katex", "dist"), join(output, "katex")];
  await mkdir(join(to, "fonts"), { recursive: true });
  await cp(join(from, "katex.min.js"), join(to, "katex.min.js"));
  for (const file of await readdir(join(from, "fonts"))) {
    if (file.endsWith(".woff2")) await cp(join(from, "fonts", file), join(to, "fonts", file));
  }
  const css = await readFile(join(from, "katex.min.css"), "utf8"); // every browser of today reads woff2
  await writeFile(join(to, "katex.min.css"), css.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, ""));
}

async function cutFont({ name, package: family, file, axes }, subset, choose, place, format) {
  const folder = join(modules, "@fontsource-variable", family);
  shipped.add(`@fontsource-variable/${family}`);
  const from = subset === "latin-ext" ? subset : "latin"; // npm's own subsets
  const source = await readFile(join(folder, "files", `${family}-${from}-${file}.woff2`));
  const ranges = JSON.parse(await readFile(join(folder, "unicode.json"), "utf8"));
  const options = { targetFormat: format, keepFeatures: features, variationAxes: axes };
  await mkdir(join(output, place), { recursive: true });
  const target = join(output, place, `${name}-${subset}.${format === "woff2" ? format : "ttf"}`);
  const letters = { latin: characters(ranges.latin), ext: characters(ranges["latin-ext"]), basic: new Set(characters(basic)) };
  await writeFile(target, await subsetFont(source, choose(letters).join(""), options));
}

// "U+0041-0043,U+0131" -> ["A", "B", "C", "ı"]
function characters(ranges) {
  const found = [];
  for (const range of ranges.split(",")) {
    const [first, last = first] = range.slice(2).split("-").map((hex) => parseInt(hex, 16));
    for (let code = first; code <= last; code++) found.push(String.fromCodePoint(code));
  }
  return found;
}

async function copyLicenses() {
  await mkdir(join(output, "licenses"), { recursive: true });
  for (const name of shipped) {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^(licen[sc]e|copying)/i.test(entry));
    if (!file) throw new Error(`missing licence: ${name} ${version} has no licence file`);
    const text = await readFile(join(folder, file), "utf8");
    const target = `${basename(name)}.txt`;
    await writeFile(join(output, "licenses", target), `${name} ${version} (${license})\n\n${text}`);
  }
}
