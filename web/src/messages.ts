// Generated from the C++ message declarations. Do not edit: change the C++ struct and generate again.

export interface AskQuestion {
  id: string;
  text: string;
}

export interface BoardClear {
  by: string;
}

export interface BoardPointer {
  by: string;
  x: number;
  y: number;
  pen: number;
  width: number;
  points: number[];
}

export interface BoardStroke {
  id: string;
  by: string;
  pen: number;
  width: number;
  points: number[];
}

export interface BoardUndo {
  id: string;
  by: string;
}

export interface ChatMessage {
  user: string;
  text: string;
  author?: string | null;
}

export interface ChatTyping {
  user: string;
}

export type CustomEvent = string;

export interface DropOffer {
  id: string;
  by: string;
  name: string;
  kind: string;
  bytes: number;
  parts: number;
}

export interface GameLight {
  id: number;
  x: number;
  y: number;
}

export interface GamePlayer {
  session: string;
  name: string;
  x: number;
  y: number;
  score: number;
}

export interface GameSteer {
  name: string;
  x: number;
  y: number;
}

export interface GameTick {
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  at_ms: number;
  players: GamePlayer[];
  lights: GameLight[];
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
  state: JobState;
}

export interface JobStart {
  title: string;
}

export interface JobStarted {
  id: string;
}

export type JobState = "running" | "done" | "canceled";

export interface LampState {
  name: string;
  on: boolean;
  brightness: number;
}

export interface NewsItem {
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  number: number;
  topic: string;
  title: string;
}

export type NotifyLevel = "info" | "success" | "warning";

export interface NotifyMessage {
  title: string;
  body: string;
  level: NotifyLevel;
}

export interface ScoreBoard {
  minute: number;
  matches: ScoreMatch[];
}

export interface ScoreMatch {
  home: string;
  away: string;
  home_goals: number;
  away_goals: number;
}

export interface ServerSample {
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  connections: number;
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  subscriptions: number;
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  channels: number;
  published: number;
  delivered: number;
  sent_bytes: number;
  lag_ms: number;
  processor: number;
  memory_bytes: number;
}

export interface ServerWatch {
  open: boolean;
}

export interface ServerWatched {
  available: boolean;
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

export interface StreamBeginning {
  writer: string;
  leaseMs: number;
}

export interface StreamPiece {
  id: string;
  n: number;
  text?: string | null;
  begin?: StreamBeginning | null;
  end?: string | null;
}

export interface StreamStop {
  id: string;
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

export interface VictimAsk {
  kill: boolean;
}

export interface VictimState {
  port: number;
  pid: number;
  kills: number;
  log: string;
}

export interface Messages {
  "ask.question": AskQuestion;
  "board.clear": BoardClear;
  "board.pointer": BoardPointer;
  "board.stroke": BoardStroke;
  "board.undo": BoardUndo;
  "chat.message": ChatMessage;
  "chat.typing": ChatTyping;
  "customEvent": CustomEvent;
  "drop.offer": DropOffer;
  "drop.part": Uint8Array;
  "game.steer": GameSteer;
  "game.tick": GameTick;
  "job.progress": JobProgress;
  "lamp.state": LampState;
  "message": TextMessage;
  "news.item": NewsItem;
  "notify.message": NotifyMessage;
  "score.board": ScoreBoard;
  "server.sample": ServerSample;
  "square.move": SquareMove;
  "square.walk": SquareWalk;
  "square.words": SquareWords;
  "stream": StreamPiece;
  "stream.stop": StreamStop;
  "ticker.price": TickerPrice;
  "victim.state": VictimState;
}

export interface Requests {
  "job.cancel": { request: JobCancel; response: JobCanceled };
  "job.start": { request: JobStart; response: JobStarted };
  "server.watch": { request: ServerWatch; response: ServerWatched };
  "session.open": { request: SessionOpen; response: SessionOpened };
  "sum.add": { request: SumAdd; response: SumResult };
  "victim.ask": { request: VictimAsk; response: VictimState };
}
