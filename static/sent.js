// Early: a browser writes what a form sent to the disk, with its history.
history.replaceState(null, '', document.referrer + location.hash);
