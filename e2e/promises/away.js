// Goes back to the page that led here, after something was published there.

await fetch(`/do/publish-back:${sessionStorage.run}-3`, {method: 'POST'});
// A browser that is still loading would replace this page instead of leaving it.
if (document.readyState !== 'complete') await new Promise((loaded) => addEventListener('load', loaded, {once: true}));
setTimeout(() => history.back(), 0);
