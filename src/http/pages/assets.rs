//! Style, script and icon, served from the program under names that change with their content.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file that pages ask for.
#[derive(Debug)]
pub struct Asset {
    pub content_type: &'static str,
    pub bytes: &'static str,
    /// "desk-1a2b3c4d5e6f.css"
    pub file_name: String,
    name: &'static str,
}

const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/frame.css"),
    include_str!("style/parts.css"),
    include_str!("style/order.css"),
    include_str!("style/small.css"),
    include_str!("style/print.css"),
);

const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("script/times.js"),
    include_str!("script/search.js"),
    include_str!("script/keys.js"),
    include_str!("script/copy.js"),
    include_str!("script/travel.js"),
    include_str!("script/live.js"),
);

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("desk.css", "text/css; charset=utf-8", STYLE),
        Asset::new("desk.js", "text/javascript; charset=utf-8", SCRIPT),
        Asset::new("icon.svg", "image/svg+xml", include_str!("style/icon.svg")),
    ]
});

impl Asset {
    fn new(name: &'static str, content_type: &'static str, bytes: &'static str) -> Self {
        let hash: String = Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        Self { content_type, bytes, file_name: format!("{stem}-{hash}.{extension}"), name }
    }
}

/// The address of a file by its plain name; of an unknown one, an address where nothing is.
pub fn path(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    format!("/assets/{}", asset.map_or(name, |asset| &asset.file_name))
}

/// The file that is served under this name with its hash.
pub fn asset(file_name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.file_name == file_name)
}
