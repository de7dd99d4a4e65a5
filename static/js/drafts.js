// What this browser keeps for whoever is signed in: a database of drafts, each key beginning with the person's number.

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let database;

async function open() {
  const opening = indexedDB.open("sceneshift", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("drafts");
  const opened = await promised(opening);
  opened.onversionchange = () => {
    opened.close(); // signing out wants it gone
    database = undefined;
  };
  return opened;
}

async function store(mode) {
  database ??= open();
  return (await database).transaction("drafts", mode).objectStore("drafts");
}

const { account } = document.body.dataset;

/** Return the key of something of this person's. */
export const keyOf = (...names) => [account, ...names].join(":");

export const read = async (key) => promised((await store("readonly")).get(key));

/** Keep a value; `undefined` deletes it. unless: asked at the last moment, whether it shall not be. */
export async function keep(key, value, unless = () => false) {
  const drafts = await store("readwrite");
  if (!unless()) await promised(value === undefined ? drafts.delete(key) : drafts.put(value, key));
}

/** Delete what somebody else left in this browser. */
export async function deleteOthers() {
  const drafts = await store("readwrite");
  for (const other of await promised(drafts.getAllKeys())) {
    if (!other.startsWith(keyOf(""))) drafts.delete(other);
  }
}

export const unkept = (error) => console.info("no draft is kept in this browser:", error?.message);
