// Unsaved text of a lesson, kept in the storage of this tab: it ends with the
// tab, and goes when the text is saved. A lesson is no secret; nothing that is
// one is ever put there (ASVS 14.3.3).
export function drafts(lesson) {
  const prefix = `lectern-draft-${lesson}-`;
  const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
  const safely = (work) => {
    try {
      return work();
    } catch {
      return undefined; // storage is full or forbidden: then there is none
    }
  };
  return {
    // keep reports whether the draft is kept.
    keep: (draft) => safely(() => (sessionStorage.setItem(prefix + draft.version, JSON.stringify(draft)), true)) ?? false,
    find: () => safely(() => JSON.parse(sessionStorage.getItem(keys().at(-1)))) ?? null,
    drop: () => safely(() => keys().forEach((key) => sessionStorage.removeItem(key))),
  };
}
