// The D3 that explorables share: every page's import map names the bundle of these modules "d3".
// Two modules are taken in part: no figure has dates, and most of the 40 colour ramps are not safe for colour-blind readers.
export * from "d3-array";
export * from "d3-axis";
export * from "d3-format";
export * from "d3-interpolate";
export {
  scaleBand, scaleDiverging, scaleDivergingLog, scaleDivergingPow, scaleDivergingSymlog, scaleIdentity, scaleImplicit,
  scaleLinear, scaleLog, scaleOrdinal, scalePoint, scalePow, scaleQuantile, scaleQuantize, scaleRadial, scaleSequential,
  scaleSequentialLog, scaleSequentialPow, scaleSequentialQuantile, scaleSequentialSqrt, scaleSequentialSymlog, scaleSqrt,
  scaleSymlog, scaleThreshold, tickFormat,
} from "d3-scale";
export {
  interpolateBlues, interpolateCividis, interpolateGreys, interpolateInferno, interpolateMagma, interpolateOranges,
  interpolatePlasma, interpolatePuOr, interpolatePurples, interpolateRdBu, interpolateViridis, schemeBlues, schemeOranges,
  schemePurples, schemeTableau10,
} from "d3-scale-chromatic";
export * from "d3-selection";
export * from "d3-shape";
