//! A browser window on the service, with what tests do in it.

use std::net::SocketAddr;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// How the browser is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Usual,
    /// Its owner prefers dark pages.
    Dark,
    /// It runs no scripts.
    Plain,
}

/// A window, at the start page of the service.
#[derive(Clone, Debug)]
pub struct Browser {
    pub client: Client,
    address: SocketAddr,
}

/// What is awaited comes long before this, or never.
const PATIENCE: Duration = Duration::from_secs(20);

impl Browser {
    pub async fn open(driver: &str, kind: Kind, address: SocketAddr) -> Self {
        let mut arguments = vec![
            "--headless=new",
            // As root there is no sandbox to be had.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1300,900",
            "--lang=en-GB",
        ];
        if kind == Kind::Dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let scripts = if kind == Kind::Plain { 2 } else { 1 };
        let options = json!({
            "args": arguments,
            "binary": crate::driver::chromium(),
            "prefs": { "profile.managed_default_content_settings.javascript": scripts },
        });
        let capabilities: Capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(driver)
            .await
            .expect("a browser opens");
        Self { client, address }
    }

    pub async fn close(self) {
        // A window that is gone already is closed.
        let _ = self.client.close().await;
    }

    pub async fn go(&self, path: &str) {
        self.client.goto(&format!("http://{}{path}", self.address)).await.unwrap();
    }

    /// The address of the page, without the host.
    pub async fn path(&self) -> String {
        let address = self.client.current_url().await.unwrap();
        let query = address.query().map_or_else(String::new, |query| format!("?{query}"));
        format!("{}{query}", address.path())
    }

    pub async fn find(&self, css: &str) -> Element {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css} is not there: {error}"))
    }

    pub async fn all(&self, css: &str) -> Vec<Element> {
        self.client.find_all(Locator::Css(css)).await.unwrap()
    }

    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// The texts of all elements.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.all(css).await {
            texts.push(element.text().await.unwrap());
        }
        texts
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    pub async fn follow(&self, words: &str) {
        let link = self.client.wait().at_most(PATIENCE).for_element(Locator::LinkText(words)).await;
        link.unwrap_or_else(|error| panic!("no link says “{words}”: {error}")).click().await.unwrap();
    }

    pub async fn choose(&self, css: &str, value: &str) {
        self.find(css).await.select_by_value(value).await.unwrap();
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        use fantoccini::actions::{InputSource, KeyAction, KeyActions};
        for key in keys.chars() {
            let press = KeyActions::new("keys".to_owned())
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key });
            self.client.perform_actions(press).await.unwrap();
        }
    }

    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script's value is true.
    pub async fn until(&self, what: &str, script: &str) {
        let since = std::time::Instant::now();
        while self.run(&format!("return Boolean({script})")).await != Value::Bool(true) {
            assert!(
                since.elapsed() < PATIENCE,
                "waited in vain: {what}; the page is {}",
                self.client.source().await.unwrap()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
