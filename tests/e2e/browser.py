"""A real browser for tests of pages: Debian's chromium through its driver, with a profile of its own,
no network to speak of, and its console read."""
import os
import tempfile

import pytest

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--window-size=1300,900"]


class Browser:
    def __init__(self, folder):
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
        self.downloads = os.path.join(folder, "downloads")
        os.makedirs(self.downloads)
        options = Options()
        options.binary_location = CHROMIUM
        for flag in FLAGS + ["--user-data-dir=" + os.path.join(folder, "profile")]:
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": self.downloads})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(30)

    def open(self, path):
        """Loads a page from disk; its script must have run to its end."""
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get("file://" + str(path))
        assert self.run("return document.documentElement.dataset.ready") == "true", self.console()
        # A page that glides moves what a click is aimed at.
        self.run("document.documentElement.style.scrollBehavior = 'auto'")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def console(self):
        """Messages of the page's console since it was loaded."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses that the page asked for since it was loaded, but for files, data in it, and what is part of the
        browser (the icon that clears a search field comes as chrome://resources)."""
        import json
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return [url for url in urls if not url.startswith(("file:", "data:", "blob:", "chrome://resources/"))]

    def emulate(self, scheme):
        """Prefers "light" or "dark"."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def type(self, element, *keys):
        element.send_keys(*keys)

    def press(self, *keys):
        """Keys to whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        ActionChains(self.driver).send_keys(*keys).perform()

    def one(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, element):
        """In the middle of the window, where nothing sticks to the edge above it."""
        self.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", element)
        element.click()

    def close(self):
        self.driver.quit()


@pytest.fixture(scope="module")
def browser():
    pytest.importorskip("selenium", reason="python3-selenium is not installed")
    if not os.access(CHROMIUM, os.X_OK) or not os.access(DRIVER, os.X_OK):
        pytest.skip("chromium and chromium-driver are not installed")
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        yield browser
        browser.close()
