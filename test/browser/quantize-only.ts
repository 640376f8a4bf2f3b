/** What a page that only quantizes imports. */
export { quantize } from "../../src/index.ts";
