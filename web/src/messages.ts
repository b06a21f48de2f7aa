// Generated from the C++ message declarations. Do not edit: change the C++ struct and generate again.

export interface ChatMessage {
  user: string;
  text: string;
  author?: string | null;
}

export interface ChatTyping {
  user: string;
}

export type CustomEvent = string;

export interface JobCancel {
  id: string;
}

export interface JobCanceled {
  id: string;
}

export interface JobProgress {
  id: string;
  title: string;
  percent: number;
  state: JobState;
}

export interface JobStart {
  title: string;
}

export interface JobStarted {
  id: string;
}

export type JobState = "running" | "done" | "canceled";

export type NotifyLevel = "info" | "success" | "warning";

export interface NotifyMessage {
  title: string;
  body: string;
  level: NotifyLevel;
}

export interface SessionOpen {
  user: string;
  secret: string;
}

export interface SessionOpened {
  token: string;
}

export interface SquareMove {
  session: string;
  x: number;
  y: number;
}

export interface SquareVisitor {
  name: string;
  x: number;
  y: number;
}

export interface SquareWalk {
  visitors: SquareVisitor[];
  errand: string;
  errand_percent: number;
}

export interface SquareWords {
  name: string;
  text: string;
}

export interface SumAdd {
  a: number;
  b: number;
}

export interface SumResult {
  sum: number;
}

export type TextMessage = string;

export interface TickerPrice {
  symbol: string;
  price: number;
  change: number;
  sent_ms: number;
}

export interface Messages {
  "chat.message": ChatMessage;
  "chat.typing": ChatTyping;
  "customEvent": CustomEvent;
  "job.progress": JobProgress;
  "message": TextMessage;
  "notify.message": NotifyMessage;
  "square.move": SquareMove;
  "square.walk": SquareWalk;
  "square.words": SquareWords;
  "ticker.price": TickerPrice;
}

export interface Requests {
  "job.cancel": { request: JobCancel; response: JobCanceled };
  "job.start": { request: JobStart; response: JobStarted };
  "session.open": { request: SessionOpen; response: SessionOpened };
  "sum.add": { request: SumAdd; response: SumResult };
}
