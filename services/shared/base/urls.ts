/** An address as it may be shown: a user and a password in it are for nobody to read. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//***@');
}
