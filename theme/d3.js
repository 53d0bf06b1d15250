// The D3 that explorables share: every page's import map names the bundle of these modules "d3". What no figure of ours
// needs, and a site's own figure hardly will, is left out: dates, maps, most curves and symbols, ramps of colour (the theme
// has its own, as CSS).
export * from "d3-array";
export * from "d3-axis";
export * from "d3-format";
export { interpolateLab, interpolateNumber, interpolateRgb, piecewise } from "d3-interpolate";
export {
  scaleBand, scaleDiverging, scaleLinear, scaleLog, scaleOrdinal, scalePoint, scalePow, scaleQuantize, scaleSequential,
  scaleSequentialLog, scaleSqrt, scaleSymlog, scaleThreshold, tickFormat,
} from "d3-scale";
export * from "d3-selection";
export { arc, area, curveBasis, curveLinear, curveMonotoneX, curveStep, line, linkHorizontal, linkVertical } from "d3-shape";
