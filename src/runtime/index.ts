/** Running models: the contract. Import an implementation from `modicum/runtime/node` or `modicum/runtime/web`. */
export type { Device, HeldTensor, HoldingResults, Runtime, Session, SessionOptions } from "./session.ts";
