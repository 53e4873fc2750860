// For a page that answers a form itself, see kept_answers.py.
if (!/jawaban=/.test(location)) { history.replaceState(null, '', document.referrer + location.hash); }
