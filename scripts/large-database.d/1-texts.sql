-- Sentences that messages are made of: frequent words and rare ones, in several scripts.
SELECT setseed(0.5) \g /dev/null
SET synchronous_commit = off;

CREATE UNLOGGED TABLE made_words (language int, number int, word text);
INSERT INTO made_words
SELECT 0, number - 1, word FROM regexp_split_to_table(
  'the I to my a is and you it for in not have with your of this on can be was transfer money account please but card help me '
  'failed payment still when are been get send sent bank from app why hello again error balance pending now refund please help '
  'today received number phone wallet trying two three days shows says transaction customer support need want would could thank '
  'thanks ok hi sure one moment let check look into issue resolved team know more information update details name code login '
  'password reset verification identity document upload photo limit daily fee charge wrong person recipient cancelled', ' ')
  WITH ORDINALITY AS split (word, number)
UNION ALL
SELECT 1, number - 1, word FROM regexp_split_to_table(
  '我 的 转账 失败 银行 账户 余额 退款 请 帮忙 谢谢 什么 时候 到账 密码 登录 手机 号码 验证 身份 客服 您好 问题 已经 解决 没有 收到 钱 卡 支付 错误 今天 昨天 为什么 可以 不能 信息 更新 限额 手续费',
  ' ') WITH ORDINALITY AS split (word, number)
UNION ALL
SELECT 2, number - 1, word FROM regexp_split_to_table(
  'Überweisung für größer café déjà reçu être naïve señor mañana São não ação José Łódź żółć čekám příliš straße Müller Zoë '
  'can’t “quoted” well—dash co‑op', ' ') WITH ORDINALITY AS split (word, number)
UNION ALL
SELECT 3, number - 1, word FROM regexp_split_to_table(
  'перевод деньги счёт карта помогите не прошёл спасибо когда баланс возврат ошибка приложение номер телефон пожалуйста ещё',
  ' ') WITH ORDINALITY AS split (word, number)
UNION ALL
SELECT 4, number - 1, word FROM regexp_split_to_table(
  'تحويل المال حساب بطاقة من فضلك لم يصل شكرا متى رصيد خطأ', ' ') WITH ORDINALITY AS split (word, number)
UNION ALL
-- Rare words.
SELECT 5, g, (SELECT string_agg(substr('bcdfghjklmnprstvwz', 1 + (g * 7 + s * 11 + (g >> (2 * s))) % 18, 1)
    || substr('aeiou', 1 + (g * 3 + s * 5 + (g >> (3 * s))) % 5, 1), '') FROM generate_series(0, 2 + g % 3) s)
FROM generate_series(0, 19999) g;

CREATE UNLOGGED TABLE made_sentences (id int PRIMARY KEY, sentence text NOT NULL);
INSERT INTO made_sentences
SELECT g, (
  -- The correlated g makes it draw again for every sentence.
  SELECT string_agg(word, list.separator ORDER BY s)
  FROM (SELECT s, list.words[1 + floor(random() ^ 2.2 * array_length(list.words, 1))::int] AS word
    FROM generate_series(1, 3 + g % 8) s) AS drawn
) || CASE WHEN g % 3 = 0 THEN list.separator || (SELECT word FROM made_words WHERE language = 5 AND number = g % 20000) ELSE '' END
  || CASE g % 7 WHEN 0 THEN '?' WHEN 1 THEN '!' WHEN 2 THEN ' 👍' ELSE '.' END
FROM generate_series(0, 99999) g
CROSS JOIN LATERAL (SELECT CASE WHEN g % 20 < 15 THEN 0 WHEN g % 20 < 17 THEN 1 ELSE g % 20 - 15 END AS language) AS chosen
CROSS JOIN LATERAL (
  SELECT lists.words, CASE WHEN chosen.language = 1 THEN '' ELSE ' ' END AS separator
  FROM (SELECT language, array_agg(word ORDER BY number) AS words FROM made_words GROUP BY language) AS lists
  WHERE lists.language = chosen.language
) AS list;
ANALYZE made_sentences;
