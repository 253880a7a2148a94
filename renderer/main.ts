// Owns the start of the page: styles, theme, the transport to the host, the first component.
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/frame.css'
import './styles/history.css'
import './styles/ask.css'
import './styles/answer.css'
import './styles/answer-foot.css'
import './styles/composer.css'
import './styles/pages.css'
import './styles/layers.css'
import './styles/narrow.css'
import './styles/print.css'
import { mount } from 'svelte'
import type { AppContract } from '../app/contract/contract.ts'
import { createClient } from '../app/contract/client.ts'
import App from './App.svelte'
import { createPage } from './state/page.ts'
import { openTransport } from './transport.ts'

const page = createPage(createClient<AppContract>(await openTransport()))
mount(App, { target: document.getElementById('app')!, props: { page } })
