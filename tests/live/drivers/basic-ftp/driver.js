// SPDX-License-Identifier: MIT
// basic-ftp for Node.js. How drivers are called stands in clients.py.
const { statSync, readFileSync } = require("fs")
const { Client } = require("basic-ftp")

const file = name => name ? readFileSync(name) : undefined
const env = process.env
const client = new Client(30000)

const verbs = {
	login: () => {},
	list: async folder => {
		for (const entry of await client.list(folder)) {
			console.log(entry.name)
		}
	},
	get: (remote, local) => client.downloadTo(local, remote),
	reget: (remote, local) => client.downloadTo(local, remote, statSync(local).size),
	put: (local, remote) => client.uploadFrom(local, remote),
	reput: async (local, remote) => {
		const localStart = await client.size(remote)
		await client.appendFrom(local, remote, { localStart })
	},
	rename: (from, to) => client.rename(from, to),
	delete: path => client.remove(path),
	mkdir: path => client.send("MKD " + path),
}

async function main(verb, ...args) {
	try {
		await client.access({
			host: env.FTP_HOST, port: Number(env.FTP_PORT),
			user: env.FTP_USER, password: env.FTP_PASSWORD, secure: true,
			secureOptions: {
				rejectUnauthorized: false, cert: file(env.FTP_CERT), key: file(env.FTP_KEY),
			},
		})
		await verbs[verb](...args)
	} catch (error) {
		console.error(error.message)
		process.exitCode = 1
	}
	client.close()
}

main(...process.argv.slice(2))
