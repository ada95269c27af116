import { start } from "./start";
import "./styles.css";

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no element #root");
void start(element);
