// Relative times stay true while the page is open.
{
  const words = (seconds) => {
    const span = Math.abs(seconds);
    const minutes = Math.floor(span / 60) % 60, hours = Math.floor(span / 3600);
    if (span < 60) return `${Math.floor(span)} s`;
    if (span < 3600) return `${minutes} min`;
    if (span < 172800) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
    return `${Math.floor(span / 86400)} days`;
  };
  const refresh = () => {
    for (const time of document.querySelectorAll("time.ago")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      // What is dated ahead of now keeps its hint until it is not.
      if (!(seconds < 864000) || seconds < -59) continue;
      time.classList.remove("ahead");
      time.textContent = seconds < 10 ? "just now" : `${words(seconds)} ago`;
    }
  };
  setInterval(() => document.hidden || refresh(), 1000);
}
