/** Kinds of numbers that recipes have. */
import * as z from "zod";

/** Above 0. */
export const positive = z.number().positive();

/** 0 or above. */
export const notNegative = z.number().min(0);

/** From 0 to 1, without 1. */
export const fraction = z.number().min(0).lt(1);

/** A count. */
export const whole = z.int().min(1);

/** From 0 to 1. */
export const probability = z.number().min(0).max(1);

/** A seed of random numbers. */
export const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
