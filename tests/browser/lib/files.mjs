// Files to send.

/** A picture of eight by eight points. */
export const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGNQKHiAFTEMLQkAUqhaAV3Q3wAAAAAASUVORK5CYII=', 'base64');
