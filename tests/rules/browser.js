// ruleid: html-written-by-script
element.innerHTML = text;
// ruleid: html-written-by-script
element.insertAdjacentHTML("beforeend", text);
// ruleid: html-written-by-script
document.write(text);
// ok: html-written-by-script
element.textContent = text;
// ruleid: data-kept-in-the-browser
localStorage.setItem("name", text);
// ruleid: data-kept-in-the-browser
document.cookie = text;
