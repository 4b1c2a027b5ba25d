// The names of messages that were put off: by process, then by age. It must not know what they say.

/** Orders by process, then by age. */
export function mailIdOf(epoch: number, number: number): string {
  return `${epoch.toString(16).padStart(12, "0")}-${number.toString(16).padStart(12, "0")}`;
}

/** Whether the process of this epoch put the message off, and so takes it itself. */
export function isOwnMail(mailId: string, epoch: number): boolean {
  return mailId.startsWith(mailIdOf(epoch, 0).slice(0, 13));
}
