// WebSockets as routes see them: plain calls either way. It must not know the library that speaks
// the protocol, nor what is said.

/** What a route does when a connection goes on as a WebSocket. */
export interface Upgrade {
  /** Longest message that the other side may send; a longer one closes the connection (1009). */
  readonly messageBytesMax: number;
  /** Called once, when the connection is open. */
  readonly open: (peer: WebSocketPeer) => WebSocketListener;
}

/** The other side of an open WebSocket. All calls are harmless once it is closed. */
export interface WebSocketPeer {
  /** Hands a message over; `done` is called once it has left this process, or never will. */
  send(message: Uint8Array, isText: boolean, done: () => void): void;
  /** Asks for a sign of life. */
  ping(): void;
  /**
   * Says goodbye behind what was sent, and cuts the connection should the other side not answer
   * within seconds. `reason` has at most 123 bytes.
   */
  close(code: number, reason: string): void;
  /** Cuts the connection; what was not sent is lost. */
  cut(): void;
}

/** What happens on an open WebSocket. */
export interface WebSocketListener {
  message(bytes: Uint8Array, isText: boolean): void;
  /** The other side answered a ping. */
  pong(): void;
  /** Called once, whoever closed it. */
  closed(): void;
}
