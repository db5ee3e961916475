// Small files for uploads, and multipart bodies in every shape.
const bytes = hex => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** One pixel. */
export const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
/** The least that calls itself a JPEG: start, JFIF header, end. */
export const JPEG = bytes('ffd8 ffe0 0010 4a46494600 0101 00 0001 0001 0000 ffd9');
export const GIF = bytes('474946383961 0100 0100 80 00 00 ffffff 000000 2c 0000 0000 0100 0100 00 02 02 4401 00 3b');
export const PDF = Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n');
export const MP4 = bytes('00000018 66747970 69736f6d 00000200 69736f6d 69736f32 00000008 6d646174');
export const WAV = bytes('52494646 24000000 57415645 666d7420 10000000 01000100 44ac0000 88580100 02001000 64617461 00000000');
export const EXE = Buffer.concat([bytes('4d5a9000 03000000 04000000 ffff0000'), Buffer.alloc(300)]);
export const ELF = Buffer.concat([bytes('7f454c46 02010100'), Buffer.alloc(300)]);
export const HTML = Buffer.from('<!DOCTYPE html>\n<html><body><script>alert(1)</script></body></html>');
export const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');

const BOUNDARY = 'a-boundary-of-our-own';

/** A multipart body of raw parts; `head` is everything before the empty line. */
export function multipart(...parts) {
  const chunks = parts.flatMap(({ head, body }) => [Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')]);
  return { body: Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]), headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } };
}
/** The part of a file; its name goes into the header as it is. */
export const part = (body, { name = 'file', filename = 'a.png', type = 'image/png' } = {}) => ({
  body, head: `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}${type ? `\r\nContent-Type: ${type}` : ''}`,
});
