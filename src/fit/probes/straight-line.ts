/** Straight lines by least squares. */

/** A line and how well it fits. */
export interface StraightLine {
  readonly intercept: number;
  readonly slope: number;
  /** Share of the variance of y that the line explains. */
  readonly r2: number;
}

/** Fits y = intercept + slope x by least squares. */
export function straightLine(x: readonly number[], y: readonly number[]): StraightLine {
  const [xMean, yMean] = [meanOf(x), meanOf(y)];
  let [products, squares] = [0, 0];
  x.forEach((value, i) => {
    products += (value - xMean) * (y[i]! - yMean);
    squares += (value - xMean) ** 2;
  });
  const slope = products / squares;
  const intercept = yMean - slope * xMean;
  const fitted = x.map((value) => intercept + slope * value);
  return { intercept, slope, r2: coefficientOfDetermination(y, fitted) };
}

/** R^2 = 1 - (sum of squared errors) / (sum of squared distances from the mean). */
export function coefficientOfDetermination(y: readonly number[], fitted: readonly number[]): number {
  const mean = meanOf(y);
  const errors = y.reduce((sum, value, i) => sum + (value - fitted[i]!) ** 2, 0);
  return 1 - errors / y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
