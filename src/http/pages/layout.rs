//! What every page has: head, the one search box, footer.

use maud::{DOCTYPE, Markup, html};

/// The style sheet, to be served at `/assets/style.css`.
pub const STYLE: &str = include_str!("style.css");

/// A whole page. `title` names it in the browser, `search` is what stands in the search box, `content` is
/// the page's own part and begins with its `h1`.
pub fn page(title: &str, search: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="same-origin";
                title { (title) " · Order timeline" }
                link rel="stylesheet" href="/assets/style.css";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header.top {
                    a.product href="/" { "Order timeline" }
                    form.search role="search" action="/" method="get" {
                        label.hidden for="search" { "Find an order by any id" }
                        input #search type="search" name="q" value=(search) autocomplete="off" autocapitalize="off"
                            spellcheck="false" placeholder="Any id: order, service, appointment, customer, event …";
                        button type="submit" { "Find" }
                    }
                }
                main #content tabindex="-1" { (content) }
                footer.bottom {
                    p { "Times are UK time (Europe/London); the exact UTC time is in each time’s title." }
                }
            }
        }
    }
}
