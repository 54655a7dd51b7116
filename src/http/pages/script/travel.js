// A slider beside each time to go to: it stops where something happened, or where we heard of it.
{
  const prepare = () => {
    for (const field of document.querySelectorAll(".instant[data-moments]:not(.slides)")) {
      field.classList.add("slides");
      const input = field.querySelector("label input"), moments = field.dataset.moments.split(" ");
      const zone = document.body.dataset.zone;
      const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "medium" });
      // The hour that comes twice when clocks go back says which it is.
      const precise = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
      const said_of = (at) => {
        const isTwice = [-36e5, 36e5].some((hour) => format.format(at + hour) === format.format(at));
        return (isTwice ? precise : format).format(at);
      };
      const slider = document.createElement("input"), said = document.createElement("output");
      slider.type = "range";
      slider.min = 0;
      slider.max = moments.length;
      // The last stop is now; a time between two stops stands at the earlier one.
      const given = field.dataset.given && Date.parse(field.dataset.given);
      const after = moments.findIndex((moment) => Date.parse(moment) > given);
      slider.value = given === undefined ? moments.length : after < 0 ? moments.length - 1 : Math.max(after - 1, 0);
      const title = field.querySelector("label span").textContent;
      slider.setAttribute("aria-label", `${title}, event by event`);
      const words = () => {
        const moment = moments[slider.value];
        const text = moment ? `${said_of(Date.parse(moment))}, ${Number(slider.value) + 1} of ${moments.length}` : "now";
        slider.setAttribute("aria-valuetext", text);
        return text;
      };
      words();
      slider.addEventListener("input", () => { said.textContent = words(); });
      const go = () => {
        const address = new URL(location.href), moment = moments[slider.value];
        address.searchParams.delete("page");
        if (moment) address.searchParams.set(input.name, moment);
        else address.searchParams.delete(input.name);
        location.assign(address);
      };
      // Keys move it stop by stop, and would leave the page with the first.
      let byKey = false;
      slider.addEventListener("keydown", (event) => {
        byKey = event.key !== "Enter";
        if (event.key === "Enter") { event.preventDefault(); go(); }
        else if (event.key.startsWith("Arrow")) said.textContent = `${words()} – Enter goes there`;
      });
      slider.addEventListener("pointerdown", () => { byKey = false; });
      slider.addEventListener("change", () => { if (!byKey) go(); else said.textContent = `${words()} – Enter goes there`; });
      field.append(slider, said);
    }
  };
  prepare();
  document.addEventListener("desk:changed", prepare);
}
