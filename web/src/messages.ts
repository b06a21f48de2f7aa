export interface ChatMessage {
  user: string;
  text: string;
}

export interface ChatTyping {
  user: string;
}

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
  state: "running" | "done" | "canceled";
}

export interface JobStart {
  title: string;
}

export interface JobStarted {
  id: string;
}

export interface NotifyMessage {
  title: string;
  body: string;
  level: "info" | "success" | "warning";
}

export interface SumAdd {
  a: number;
  b: number;
}

export interface SumResult {
  sum: number;
}

export interface TickerPrice {
  symbol: string;
  price: number;
  change: number;
  sent_ms: number;
}

export interface Messages {
  "chat.message": ChatMessage;
  "chat.typing": ChatTyping;
  "customEvent": string;
  "job.progress": JobProgress;
  "message": string;
  "notify.message": NotifyMessage;
  "ticker.price": TickerPrice;
}

export interface Requests {
  "job.cancel": { request: JobCancel; response: JobCanceled };
  "job.start": { request: JobStart; response: JobStarted };
  "sum.add": { request: SumAdd; response: SumResult };
}
