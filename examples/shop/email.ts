// Stands for a mail service: says what it would have sent.

export function sendEmail(
  to: string,
  subject: string,
): { readonly to: string; readonly subject: string } {
  return { to, subject };
}
