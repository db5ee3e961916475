// Who is signed in on this browser, and what his token says of him.

const KEY = 'chat.login';

/** Keeps `{user, token}`, or forgets it. */
export function remember(login) {
  try {
    if (login) localStorage.setItem(KEY, JSON.stringify(login)); else localStorage.removeItem(KEY);
  } catch { /* private windows may refuse */ }
}

export function remembered() {
  try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; }
}

/** What a token claims, where it is a JWT. Good for what to offer only: the server judges for itself. */
export function claimsOf(token) {
  try {
    const part = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), letter => letter.charCodeAt(0))));
  } catch { return {}; }
}
