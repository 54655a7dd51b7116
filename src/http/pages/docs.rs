//! The description of the API for people: what is at which address, with what parameters, and what it answers.

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Frame, page};
use super::viewer::Viewer;

/// A page of an OpenAPI description.
pub fn docs(description: &Value, viewer: &Viewer) -> Markup {
    let paths = description.get("paths").and_then(Value::as_object);
    let operations: Vec<(&String, &String, &Value)> = paths
        .into_iter()
        .flatten()
        .flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, one)| (path, method, one))
        })
        .collect();
    let content = html! {
        h1 { "The API" }
        p.lead { (prose(description.get("info").and_then(|info| info.get("description")))) }
        p { "For programs: " a href="/openapi.json" { "openapi.json" } }
        @for (path, method, operation) in operations { (one(path, method, operation)) }
    };
    page(&Frame::of_part("API", "/docs"), viewer, content)
}

fn one(path: &str, method: &str, operation: &Value) -> Markup {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let responses = operation.get("responses").and_then(Value::as_object);
    html! {
        section.operation data-walk {
            h2 { span.method { (method.to_uppercase()) } " " code { (path) } }
            p { (prose(operation.get("summary"))) }
            p { (prose(operation.get("description"))) }
            @if let Some(parameters) = parameters.filter(|parameters| !parameters.is_empty()) {
                dl {
                    @for parameter in parameters {
                        div {
                            dt { code { (text(parameter.get("name"))) } " " small { "in " (text(parameter.get("in"))) @if parameter.get("required") == Some(&Value::Bool(true)) { ", needed" } } }
                            dd { (prose(parameter.get("description"))) }
                        }
                    }
                }
            }
            @if let Some(responses) = responses {
                p.by { "Answers: " @for (at, (status, response)) in responses.iter().enumerate() {
                    @if at > 0 { ", " }
                    code { (status) } @if let Some(said) = response.get("description").and_then(Value::as_str).filter(|said| !said.is_empty()) { " " (coded(said)) }
                } }
            }
        }
    }
}

fn prose(value: Option<&Value>) -> Markup {
    coded(text(value))
}

/// What stands between backticks in a docstring is code.
fn coded(text: &str) -> Markup {
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}
