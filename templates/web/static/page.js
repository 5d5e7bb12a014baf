// What pages do beyond what they do without scripts.
"use strict";

// A zone that nobody chose yet is the browser's own.
for (const field of document.querySelectorAll("[data-zone]:not([data-chosen])")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && (field.tagName !== "SELECT" || [...field.options].some((each) => each.value === zone))) field.value = zone;
}
