/** The first step: a file, dropped or chosen. */
import { html, useState } from "../../lib/preact.js";

/** A table to try, for those who have none at hand: petals of three kinds of iris, in centimetres. */
const EXAMPLE = `petal_length,petal_width,garden,species
1.4,0.2,north,setosa
1.3,0.2,south,setosa
1.5,0.3,north,setosa
1.6,0.4,south,setosa
1.7,0.3,north,setosa
4.7,1.4,south,versicolor
4.5,1.5,north,versicolor
3.9,1.1,north,versicolor
4.2,1.3,south,versicolor
4.0,1.2,south,versicolor
6.0,2.5,north,virginica
5.8,2.2,south,virginica
6.6,2.1,north,virginica
5.6,1.8,south,virginica
5.1,2.0,north,virginica
`;

export function Drop({ source, onFile }) {
  const [isOver, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  };
  return html`
    <section class="card drop ${isOver ? "over" : ""}" aria-labelledby="file" onDrop=${drop}
      onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
      <h2 id="file">${source ? "The file" : "Choose a file"}</h2>
      <label for="chosen">${source ? `This is ${source.name}. Another one:` : "CSV, Parquet, Arrow or npz; or drop it here"}</label>
      <input id="chosen" type="file" accept=".csv,.tsv,.txt,.data,.parquet,.arrow,.feather,.npz,.npy,.gz,.zip"
        onChange=${(event) => event.currentTarget.files[0] && onFile(event.currentTarget.files[0])} />
      <p class="quiet">It goes to this service alone. ${!source && html`
        <button type="button" class="small" onClick=${() => onFile(new File([EXAMPLE], "flowers.csv"))}>Take an example</button>`}</p>
    </section>`;
}
