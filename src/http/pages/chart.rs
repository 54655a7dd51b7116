//! Small charts as SVG: bars over time, stacked, and the numbers for those who do not see them.

use maud::{Markup, html};

/// A part of a bar: the class that colours it, its name, and how much.
pub type Part = (&'static str, &'static str, i64);

/// A bar: what stands below it, what it is called in full, and its parts from the bottom up.
#[derive(Clone, Debug)]
pub struct Bar {
    pub label: String,
    pub name: String,
    pub parts: Vec<Part>,
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 120.0;
const BOTTOM: f64 = 18.0;
const TOP: f64 = 14.0;
/// So much a label takes.
const ROOM: f64 = 34.0;

/// Bars side by side, with the highest total said.
pub fn bars(title: &str, bars: &[Bar]) -> Markup {
    let total = |bar: &Bar| bar.parts.iter().map(|(_, _, count)| count).sum::<i64>();
    let highest = bars.iter().map(total).max().unwrap_or(0);
    let step = WIDTH / number(i64::try_from(bars.len()).unwrap_or(1)).max(1.0);
    let scale = (HEIGHT - BOTTOM - TOP) / number(highest).max(1.0);
    let every = bars.len().div_ceil(8).max(1);
    let mut names: Vec<(&str, &str)> = Vec::new();
    for (class, name, _) in bars.iter().flat_map(|bar| &bar.parts).filter(|(_, _, count)| *count > 0) {
        if !names.contains(&(*class, *name)) {
            names.push((class, name));
        }
    }
    html! {
        figure.chart {
            figcaption { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (title) ": " (said(bars)) } focusable="false" {
                line.base x1="0" x2=(WIDTH) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM) {}
                @if highest > 0 { text.most x="0" y="10" { "most: " (highest) } }
                @for (at, bar) in (0_i64..).zip(bars) {
                    @let x = step * number(at);
                    @for (class, bottom, part) in stacked(bar) {
                        @let high = number(part) * scale;
                        rect class={ "fill " (class) } x=(round(x + 1.5)) y=(round(HEIGHT - BOTTOM - number(bottom) * scale - high))
                            width=(round(step - 3.0)) height=(round(high.max(1.0))) { title { (told(bar)) } }
                    }
                    // A label under the last bar would leave the picture.
                    @if usize::try_from(at).is_ok_and(|at| at.is_multiple_of(every)) && x + ROOM <= WIDTH {
                        text x=(round(x + 1.5)) y=(HEIGHT - 4.0) { (bar.label) }
                    }
                }
            }
            @if !names.is_empty() {
                p.key { @for (class, name) in names { span { span class={ "swatch " (class) } aria-hidden="true" {} " " (name) } } }
            }
        }
    }
}

/// The parts that are not empty, with what lies below them.
fn stacked(bar: &Bar) -> Vec<(&'static str, i64, i64)> {
    let mut bottom = 0;
    let mut parts = Vec::new();
    for (class, _, count) in bar.parts.iter().filter(|(_, _, count)| *count > 0) {
        parts.push((*class, bottom, *count));
        bottom += count;
    }
    parts
}

fn told(bar: &Bar) -> String {
    let parts: Vec<String> =
        bar.parts.iter().filter(|(_, _, count)| *count > 0).map(|(_, name, count)| format!("{count} {name}")).collect();
    format!("{}: {}", bar.name, if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
}

fn said(bars: &[Bar]) -> String {
    let told: Vec<String> =
        bars.iter().filter(|bar| bar.parts.iter().any(|(_, _, count)| *count > 0)).map(told).collect();
    if told.is_empty() { "none".to_owned() } else { told.join("; ") }
}

fn number(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}
