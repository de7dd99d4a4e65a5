// Signing out forgets the drafts kept in this browser. A session that merely ran out does not: its owner comes back.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.action.endsWith("/accounts/logout/") || "forgotten" in form.dataset) return;
  event.preventDefault();
  form.dataset.forgotten = "";
  sessionStorage.clear();
  const deleting = indexedDB.deleteDatabase("sceneshift");
  deleting.onsuccess = deleting.onerror = deleting.onblocked = () => form.submit();
});
